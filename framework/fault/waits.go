package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/poll"
)

// What a fault, or its repair, waits for: pods that are new, and what istiod and the proxies have taken in.

// settled waits until a deployment's pods are those of its latest template, and no older one is there any more: a pod that
// ends still answers.
func (r *Rig) settled(ctx context.Context, c *cluster.Cluster, namespace, deployment, selector string) error {
	if err := r.do(ctx, c, "-n", namespace, "rollout", "status", "deployment/"+deployment, "--timeout=120s"); err != nil {
		return err
	}
	return r.ended(ctx, c, namespace, selector)
}

// ended waits until no pod of a selector is being deleted.
func (r *Rig) ended(ctx context.Context, c *cluster.Cluster, namespace, selector string) error {
	w := poll.Wait{What: "no pod is ending", Where: fmt.Sprintf("cluster %s, namespace %s, %s", c.Name, namespace, selector), Limit: r.limits().Notice}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		pods, err := c.Pods(ctx, namespace, selector)
		if err != nil {
			return "", err
		}
		for _, p := range pods {
			if p.DeletionTimestamp != nil {
				return p.Name + " is ending", errors.New("a pod is still there")
			}
		}
		return "", nil
	})
}

// anew replaces the pods of a deployment. Pods that are deleted without grace come back at once.
func (r *Rig) anew(ctx context.Context, c *cluster.Cluster, namespace, deployment, selector string) error {
	if err := r.do(ctx, c, "-n", namespace, "delete", "pod", "-l", selector, "--grace-period=1", "--wait=true"); err != nil {
		return err
	}
	return r.settled(ctx, c, namespace, deployment, selector)
}

// freshClient makes sleep anew: its warm connections would hide what is broken.
func (r *Rig) freshClient(ctx context.Context, c *cluster.Cluster) error {
	return r.anew(ctx, c, r.sample(), "sleep", "app=sleep")
}

// freshServer makes helloworld of a cluster anew.
func (r *Rig) freshServer(ctx context.Context, c *cluster.Cluster) error {
	return r.anew(ctx, c, r.sample(), r.helloworld(c), "app=helloworld")
}

// scale asks for so many pods of a cluster's helloworld.
func (r *Rig) scale(ctx context.Context, c *cluster.Cluster, replicas int) error {
	return r.in(ctx, c, r.sample(), "scale deployment "+r.helloworld(c)+" --replicas="+strconv.Itoa(replicas))
}

// comesBack gives helloworld of a cluster its pod again, and waits for it.
func (r *Rig) comesBack(ctx context.Context, c *cluster.Cluster) error {
	return errors.Join(r.scale(ctx, c, 1), r.settled(ctx, c, r.sample(), r.helloworld(c), "app=helloworld"))
}

// helloworld is the name of the cluster's deployment.
func (r *Rig) helloworld(c *cluster.Cluster) string {
	member, _ := r.Intent.Cluster(c.Name)
	return "helloworld-" + member.Version
}

// freshIstiod restarts a cluster's control plane.
func (r *Rig) freshIstiod(ctx context.Context, c *cluster.Cluster) error {
	name := "istiod-" + r.Intent.Revision
	if err := r.do(ctx, c, "-n", system, "rollout", "restart", "deployment/"+name); err != nil {
		return err
	}
	return r.settled(ctx, c, system, name, "app=istiod,istio.io/rev="+r.Intent.Revision)
}

// freshGateway makes the gateway's pod anew.
func (r *Rig) freshGateway(ctx context.Context, c *cluster.Cluster) error {
	return r.anew(ctx, c, system, gateway, "istio=eastwestgateway")
}

// debug asks istiod on a cluster for one of its debug pages.
func (r *Rig) debug(ctx context.Context, c *cluster.Cluster, page string) ([]byte, error) {
	pods, err := c.Pods(ctx, system, "app=istiod,istio.io/rev="+r.Intent.Revision)
	if err != nil {
		return nil, err
	}
	for _, p := range pods {
		if p.DeletionTimestamp == nil {
			body, _, err := c.Exec(ctx, system, p.Name, "discovery", "pilot-discovery", "request", "GET", "/debug/"+page)
			return body, err
		}
	}
	return nil, fmt.Errorf("no istiod runs on cluster %s", c.Name)
}

// status asks istiod on a cluster in which state it has a remote cluster; "" when it does not list it.
func (r *Rig) status(ctx context.Context, c *cluster.Cluster, remote string) (string, error) {
	body, err := r.debug(ctx, c, evidence.PageClusterz)
	if err != nil {
		return "", err
	}
	var all []struct {
		ID         string `json:"id"`
		SyncStatus string `json:"syncStatus"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return "", fmt.Errorf("decode clusterz of cluster %s: %w", c.Name, err)
	}
	for _, one := range all {
		if one.ID == remote {
			return one.SyncStatus, nil
		}
	}
	return "", nil
}

// noticed waits until istiod on a cluster has a remote one in that state; "" = it does not list it.
func (r *Rig) noticed(ctx context.Context, c *cluster.Cluster, remote, want string) error {
	w := poll.Wait{What: fmt.Sprintf("istiod has %s as %q", remote, want), Where: "cluster " + c.Name, Limit: r.limits().Notice}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		got, err := r.status(ctx, c, remote)
		if err != nil {
			return "", err // nothing was seen
		}
		if got != want {
			err = errors.New("not yet")
		}
		return fmt.Sprintf("%q", got), err
	})
}

// envoy asks the proxy of a deployment's pod for one of its admin pages.
func (r *Rig) envoy(ctx context.Context, c *cluster.Cluster, namespace, deployment, page string) (string, error) {
	return r.kubectl(ctx, c, "", "-n", namespace, "exec", "deploy/"+deployment, "-c", "istio-proxy", "--", "pilot-agent", "request", "GET", page)
}

// becomes waits until something on a cluster is so, or is so no more.
func (r *Rig) becomes(ctx context.Context, c *cluster.Cluster, what string, want bool, look func(context.Context) (bool, error)) error {
	w := poll.Wait{What: fmt.Sprintf("%s: %t", what, want), Where: "cluster " + c.Name, Limit: r.limits().Notice}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		is, err := look(ctx)
		if err != nil {
			return "", err // nothing was seen
		}
		if is != want {
			err = errors.New("not yet")
		}
		return fmt.Sprint(is), err
	})
}

// watch waits for a condition on west's sample.
func (r *Rig) watch(ctx context.Context, what string, try poll.Try) error {
	return poll.Until(ctx, poll.Wait{What: what, Where: "cluster " + r.west().Name + ", namespace " + r.sample(), Limit: r.limits().Notice}, try)
}

// watched waits until istiod on east holds west's pods of helloworld as they are now. A watch that was cut off is only begun
// anew after HTTP/2's own 45 s and the informer's pause, and until then what changes on west is not seen.
func (r *Rig) watched(ctx context.Context) error {
	w := poll.Wait{What: "istiod holds the pods of " + r.remote(), Where: "cluster " + r.east().Name, Limit: 2 * r.limits().Notice, Every: time.Second}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		pods, err := r.west().Pods(ctx, r.sample(), "app=helloworld")
		if err != nil {
			return "", err
		}
		held, err := r.debug(ctx, r.east(), evidence.PageEndpointShardz)
		if err != nil {
			return "", err
		}
		for _, p := range pods {
			if !strings.Contains(string(held), strconv.Quote(p.Status.PodIP)) {
				return p.Name + " at " + p.Status.PodIP + " is not there", errors.New("not yet")
			}
		}
		return "", nil
	})
}

// complained waits until istiod on east says in its log that it could not read west, in words that hold these: on a connection that is still open from
// before, it takes HTTP/2's own 45 s until a request is known to be lost.
func (r *Rig) complained(ctx context.Context, words string) error {
	says := regexp.MustCompile("watch error in cluster " + regexp.QuoteMeta(r.remote()) + ".*" + regexp.QuoteMeta(words))
	w := poll.Wait{What: "istiod says why it cannot read " + r.remote(), Where: "cluster " + r.east().Name, Limit: 2 * r.limits().Notice, Every: time.Second}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		out, err := r.kubectl(ctx, r.east(), "", "-n", system, "logs", "deploy/istiod-"+r.Intent.Revision, "--since=3m")
		if err == nil && !says.MatchString(out) {
			err = errors.New("not yet")
		}
		return "", err
	})
}
