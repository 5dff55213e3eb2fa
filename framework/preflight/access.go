package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
)

// reviewsAtOnce keeps a far API server from making this a matter of a minute.
const reviewsAtOnce = 16

// denied asks the API server what of the permissions the user does not have: a review is answered and kept nowhere.
func denied(ctx context.Context, c *cluster.Cluster, permissions []Permission) ([]string, error) {
	asked := attributes(permissions)
	refused := make([]string, len(asked))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(reviewsAtOnce)
	for i, a := range asked {
		g.Go(func() error {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &a}}
			answer, err := c.Kube().AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return fmt.Errorf("review access: %w", err)
			}
			if !answer.Status.Allowed {
				refused[i] = named(a)
			}
			return nil
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(refused, func(what string) bool { return what == "" }), err
}

// attributes are the permissions one by one, each once.
func attributes(permissions []Permission) []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	known := map[authorizationv1.ResourceAttributes]bool{}
	for _, p := range permissions {
		namespaces := p.Namespaces
		if len(namespaces) == 0 {
			namespaces = []string{metav1.NamespaceAll}
		}
		for _, namespace := range namespaces {
			for _, resource := range p.Resources {
				name, sub, _ := strings.Cut(resource, "/")
				for _, verb := range p.Verbs {
					a := authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: p.Group, Resource: name, Subresource: sub}
					if !known[a] {
						known[a] = true
						all = append(all, a)
					}
				}
			}
		}
	}
	return all
}

// named gives "create pods/exec in sample".
func named(a authorizationv1.ResourceAttributes) string {
	text := a.Verb + " " + a.Resource
	if a.Group != "" {
		text += "." + a.Group
	}
	if a.Subresource != "" {
		text += "/" + a.Subresource
	}
	if a.Namespace != "" {
		text += " in " + a.Namespace
	}
	return text
}
