package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Envoy's admin pages.
const (
	clustersPage = "clusters?format=json"
	configPage   = "config_dump?include_eds"
	certsPage    = "certs"
	statsPage    = "stats?format=json"
)

// pages says which of Envoy's pages are taken.
type pages bool

const (
	allPages     pages = true
	onlyCounters pages = false
)

func (p pages) paths() []string {
	if p == onlyCounters {
		return []string{clustersPage}
	}
	return []string{clustersPage, configPage, certsPage, statsPage}
}

func allRoles() []string {
	return []string{evidence.RoleSleep, evidence.RoleHelloworld, evidence.RoleGateway}
}

// Proxies reads the pages of every running Envoy of the roles; no role means all. What could be read is returned beside
// the joined errors of what could not. A role without pods gives no proxy and no error: the sample may be gone.
func Proxies(ctx context.Context, c *cluster.Cluster, o Options, roles ...string) ([]evidence.Proxy, error) {
	s, err := from(c, o)
	if err != nil {
		return nil, err
	}
	if len(roles) == 0 {
		roles = allRoles()
	}
	return s.proxies(ctx, o.withDefaults(), allPages, roles...)
}

// place is where pods of a role are found.
func (o Options) place(role string) (namespace, selector string, err error) {
	switch role {
	case evidence.RoleSleep:
		return o.Intent.Namespace(), "app=sleep", nil
	case evidence.RoleHelloworld:
		return o.Intent.Namespace(), "app=helloworld", nil
	case evidence.RoleGateway:
		return o.GatewayNamespace, gatewaySelector, nil
	}
	return "", "", fmt.Errorf("read proxies of role %q: use one of %s", role, strings.Join(allRoles(), ", "))
}

// gatewaySelector is the label that the guide's gateway and its Gateway object agree on.
const gatewaySelector = "istio=eastwestgateway"

func (s source) proxies(ctx context.Context, o Options, take pages, roles ...string) ([]evidence.Proxy, error) {
	var mu sync.Mutex
	var found []evidence.Proxy
	var errs []error
	var all sync.WaitGroup
	for _, role := range roles {
		all.Go(func() {
			proxies, err := s.proxiesOf(ctx, o, take, role)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, proxies...)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	all.Wait()
	slices.SortFunc(found, func(a, b evidence.Proxy) int {
		return strings.Compare(a.Namespace+"/"+a.Pod, b.Namespace+"/"+b.Pod)
	})
	return found, errors.Join(errs...)
}

func (s source) proxiesOf(ctx context.Context, o Options, take pages, role string) ([]evidence.Proxy, error) {
	namespace, selector, err := o.place(role)
	if err != nil {
		return nil, err
	}
	pods, err := s.running(ctx, namespace, selector)
	if err != nil {
		return nil, err
	}
	if take == onlyCounters { // a pod that was not injected counts nothing; the claims on it say so
		pods = slices.DeleteFunc(pods, func(p corev1.Pod) bool { return !hasSidecar(p) })
	}
	found := make([]evidence.Proxy, len(pods))
	errs := make([]error, len(pods))
	var all sync.WaitGroup
	for i, p := range pods {
		all.Go(func() { found[i], errs[i] = s.proxy(ctx, p, role, take) })
	}
	all.Wait()
	return found, errors.Join(errs...)
}

func hasSidecar(p corev1.Pod) bool {
	named := func(c corev1.Container) bool { return c.Name == sidecar }
	return slices.ContainsFunc(p.Spec.Containers, named) || slices.ContainsFunc(p.Spec.InitContainers, named)
}

// proxy takes one Envoy's pages at once.
func (s source) proxy(ctx context.Context, p corev1.Pod, role string, take pages) (evidence.Proxy, error) {
	found := evidence.Proxy{At: now(), Namespace: p.Namespace, Pod: p.Name, Role: role}
	if !hasSidecar(p) {
		return found, fmt.Errorf("read proxy %s/%s on cluster %s: the pod has no container %s: it was not injected", p.Namespace, p.Name, s.name, sidecar)
	}
	e, paths := envoyEndpoint(), take.paths()
	bodies, errs := s.get(ctx, p, e, paths...)
	for i, path := range paths {
		if errs[i] != nil {
			continue
		}
		page, err := s.asJSON(p, e, path, bodies[i])
		switch {
		case err != nil:
		case path == clustersPage:
			found.Clusters = page
		case path == certsPage:
			found.Certs = page
		case path == statsPage:
			found.Stats = page
		default:
			var root roots
			if found.ConfigDump, root, err = cleanDump(page); err != nil {
				err = s.pageError(p, e, path, err)
			}
			found.RootSHA256, found.Roots = root.set, root.each
		}
		errs[i] = err
	}
	return found, errors.Join(errs...)
}
