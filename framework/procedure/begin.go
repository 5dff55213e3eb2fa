package procedure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
)

// ErrMissing is wrapped when clusters lack what the steps that a run leaves out would have made.
var ErrMissing = errors.New("what the steps before --from make is not there")

// Require names everything that the steps before the run's beginning would have made and that is missing. Remote secrets may
// have any name: only that there is none at all is known to be wrong. It changes nothing.
func Require(ctx context.Context, set cluster.Set, in intent.Intent) error {
	return set.Each(ctx, func(ctx context.Context, c *cluster.Cluster) error {
		var missing []string
		var errs []error
		for _, r := range before(in) {
			there, err := manifest.Exists(ctx, c, r)
			errs = append(errs, err)
			if err == nil && !there {
				missing = append(missing, r.String())
			}
		}
		if in.From.Skips(intent.StepJoin) {
			known, err := known(ctx, c)
			errs = append(errs, err)
			if err == nil && len(known) == 0 {
				for _, peer := range set.Peers(c.Name) {
					missing = append(missing, fmt.Sprintf("Secret with the label %s in %s for cluster %s", remoteLabel, istioSystem, peer.Name))
				}
			}
		}
		if len(missing) > 0 {
			errs = append(errs, fmt.Errorf("%w: no %s: begin earlier than --from %s, or do those steps first", ErrMissing, strings.Join(missing, ", no "), in.From))
		}
		return errors.Join(errs...)
	})
}

// before are the objects that the steps before the run's beginning make.
func before(in intent.Intent) []manifest.Ref {
	var all []manifest.Ref
	if in.From.Skips(intent.StepGateway) {
		all = gatewayRefs()
	}
	if in.From.Skips(intent.StepExpose) {
		all = append(all, exposureRef())
	}
	return all
}

const (
	// remoteLabel is on the secrets that istiod takes for remote clusters; remoteAnnotation names the cluster in those that
	// istioctl makes.
	remoteLabel      = "istio/multiCluster=true"
	remoteAnnotation = "networking.istio.io/cluster"
)

// known gives, by the names of a cluster's remote secrets, the names under which they know others. Only their metadata is asked for.
func known(ctx context.Context, c *cluster.Cluster) (map[string]string, error) {
	client, err := metadata.NewForConfig(c.Resources().GetConfig())
	if err != nil {
		return nil, fmt.Errorf("make a metadata client for cluster %s: %w", c.Name, err)
	}
	list, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"}).Namespace(istioSystem).
		List(ctx, metav1.ListOptions{LabelSelector: remoteLabel})
	if err != nil {
		return nil, fmt.Errorf("list the remote secrets on cluster %s: %w", c.Name, cluster.Access(err))
	}
	names := map[string]string{}
	for _, o := range list.Items {
		name, annotated := o.Annotations[remoteAnnotation]
		if !annotated {
			name = strings.TrimPrefix(o.Name, remotePrefix)
		}
		names[o.Name] = name
	}
	return names, nil
}

// skips tells whether the run leaves a step out.
func (p *Procedure) skips(step string) bool { return p.o.Intent.Skips(step) != "" }

// skippedStage notes the steps that the run leaves out.
func (p *Procedure) skippedStage(context.Context) ([]evidence.Step, error) {
	steps := Skipped(p.steps, p.o.Intent)
	for _, s := range steps {
		if p.o.OnStep != nil {
			p.o.OnStep(s)
		}
	}
	return steps, nil
}

// Skipped gives, for the evidence, the guide's steps that a run of that intent does not perform.
func Skipped(all []guide.Step, in intent.Intent) []evidence.Step {
	var skipped []evidence.Step
	for _, step := range all {
		why := in.Skips(step.Base())
		if why == "" {
			continue
		}
		s := evidence.Step{ID: step.ID, Title: step.Title, Started: time.Now(), Skipped: why, Deviations: []evidence.Deviation{
			{Printed: step.Title, Run: "(nothing)", Reason: "the step was not performed: " + why},
		}}
		if step.Cluster > 0 {
			s.Cluster = in.Clusters[step.Cluster-1].Name
		}
		skipped = append(skipped, s)
	}
	return skipped
}
