package procedure

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/poll"
)

// callsKept is more than 20 replies can be: standard output is kept whole.
const callsKept = 1 << 20

// Calls performs S14 from one cluster, as printed. The replies are in the step's Stdout.
func (p *Procedure) Calls(ctx context.Context, clusterName string) (evidence.Step, error) {
	for i, c := range p.o.Set {
		if c.Name != clusterName {
			continue
		}
		n := strconv.Itoa(i + 1)
		if err := p.needsVariables("CTX_" + n); err != nil {
			return evidence.Step{}, fmt.Errorf("call helloworld from cluster %s: %w", clusterName, err)
		}
		t, err := p.guided("S14."+n, p.o.Limits.Calls)
		if err != nil {
			return evidence.Step{}, err
		}
		t.keep = callsKept
		steps, err := p.do(ctx, chain{t})
		return steps[0], err
	}
	return evidence.Step{}, fmt.Errorf("call helloworld from cluster %s: the set has no such cluster", clusterName)
}

// CleanUp performs S15 on all clusters at once, and waits until the namespace is gone.
func (p *Procedure) CleanUp(ctx context.Context) ([]evidence.Step, error) {
	chains, err := p.perCluster(func(n string, i int) (chain, error) {
		if err := p.needsVariables("CTX_" + n); err != nil {
			return nil, fmt.Errorf("clean up cluster %s: %w", p.o.Set[i].Name, err)
		}
		c, namespace := p.o.Set[i], p.o.Intent.Namespace()
		t, err := p.guided("S15."+n, p.o.Limits.CleanUp)
		gone := p.waiting("S15."+n, c, "the namespace is gone", "namespace "+namespace, p.o.Limits.CleanUp, namespaceGone(c, namespace))
		wait := gone.wait
		gone.wait = func(ctx context.Context, limit time.Duration) error {
			if err := wait(ctx, limit); err != nil {
				return err
			}
			return p.tell([]ledger.Entry{entry("Namespace", c, "", namespace)}, Ledger.Removed)
		}
		return chain{t, gone}, err
	})
	if err != nil {
		return nil, err
	}
	return p.do(ctx, chains...)
}

func namespaceGone(c *cluster.Cluster, name string) poll.Try {
	return func(ctx context.Context) (string, error) {
		ns, err := c.Kube().CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return string(ns.Status.Phase), errors.New("it is still there")
	}
}
