package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/poll"
	"github.com/meshproof/meshproof/framework/release/shell"
)

// Rig is a joined mesh on two kind clusters, to which faults are done.
type Rig struct {
	Set    cluster.Set
	Intent intent.Intent
	// Kubectl is the program.
	Kubectl string
	// Mesh is how the control planes were installed.
	Mesh istio.Options
	// Dir is a private directory for what a fault needs.
	Dir string
	// Limits; the zero value = DefaultLimits.
	Limits Limits

	mu    sync.Mutex
	saved map[string]*corev1.Secret
}

const (
	sample      = "sample"
	system      = "istio-system"
	gateway     = "istio-eastwestgateway"
	gatewayPort = 15443

	// maxOutput is the most that is read of one command: Envoy's pages have some 100 KiB each.
	maxOutput = 16 << 20
)

// east is CLUSTER_1, whose helloworld is v1; west is CLUSTER_2 with v2. Faults are put into west, or into how east sees it.
func (r *Rig) east() *cluster.Cluster { return r.Set[0] }
func (r *Rig) west() *cluster.Cluster { return r.Set[1] }

// kubectl runs one command on a cluster and returns what it printed.
func (r *Rig) kubectl(ctx context.Context, c *cluster.Cluster, stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.limits().Command, fmt.Errorf("the command took longer than %s", r.limits().Command))
	defer cancel()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.Dir, "KUBECACHEDIR=" + r.Dir, "KUBERC=off"}
	if r.Intent.Provision == intent.Supplied {
		env = append(env, shell.Callers("PATH", "KUBECONFIG", "KUBECACHEDIR", "KUBERC")...) // the last one of a name counts
	}
	got, err := shell.Run(ctx, shell.Command{
		Args: append([]string{r.Kubectl, "--kubeconfig", c.Kubeconfig, "--context", c.Context}, args...),
		Env:  env, Stdin: []byte(stdin), Dir: r.Dir, Keep: maxOutput,
	})
	if err != nil {
		return got.Stdout, fmt.Errorf("run kubectl %s on cluster %s: %w", strings.Join(args, " "), c.Name, err)
	}
	return got.Stdout, nil
}

func (r *Rig) do(ctx context.Context, c *cluster.Cluster, args ...string) error {
	_, err := r.kubectl(ctx, c, "", args...)
	return err
}

// in splits a command line of kubectl at its spaces, and runs it for a namespace.
func (r *Rig) in(ctx context.Context, c *cluster.Cluster, namespace, line string) error {
	return r.do(ctx, c, append([]string{"-n", namespace}, strings.Fields(line)...)...)
}

func (r *Rig) apply(ctx context.Context, c *cluster.Cluster, text string) error {
	_, err := r.kubectl(ctx, c, text, "apply", "-f", "-")
	return err
}

func (r *Rig) remove(ctx context.Context, c *cluster.Cluster, text string) error {
	_, err := r.kubectl(ctx, c, text, "delete", "--ignore-not-found", "-f", "-")
	return err
}

// patch merges a JSON document into an object.
func (r *Rig) patch(ctx context.Context, c *cluster.Cluster, namespace, object, merge string) error {
	return r.do(ctx, c, "-n", namespace, "patch", object, "--type=merge", "-p", merge)
}

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
	return r.anew(ctx, c, sample, "sleep", "app=sleep")
}

// freshServer makes helloworld of a cluster anew.
func (r *Rig) freshServer(ctx context.Context, c *cluster.Cluster) error {
	return r.anew(ctx, c, sample, r.helloworld(c), "app=helloworld")
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

// status asks istiod on a cluster in which state it has a remote cluster; "" when it does not list it.
func (r *Rig) status(ctx context.Context, c *cluster.Cluster, remote string) (string, error) {
	pods, err := c.Pods(ctx, system, "app=istiod,istio.io/rev="+r.Intent.Revision)
	if err != nil {
		return "", err
	}
	for _, p := range pods {
		if p.DeletionTimestamp != nil {
			continue
		}
		body, _, err := c.Exec(ctx, system, p.Name, "discovery", "pilot-discovery", "request", "GET", "/debug/clusterz")
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
	return "", fmt.Errorf("no istiod runs on cluster %s", c.Name)
}

// noticed waits until istiod on a cluster has a remote one in that state; "" = it does not list it.
func (r *Rig) noticed(ctx context.Context, c *cluster.Cluster, remote, want string) error {
	w := poll.Wait{What: fmt.Sprintf("istiod has %s as %q", remote, want), Where: "cluster " + c.Name, Limit: r.limits().Notice}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		got, err := r.status(ctx, c, remote)
		if err == nil && got != want {
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
		if err == nil && is != want {
			err = errors.New("not yet")
		}
		return fmt.Sprint(is), err
	})
}

// node runs a command in the node of a kind cluster.
func (r *Rig) node(ctx context.Context, c *cluster.Cluster, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.limits().Command, fmt.Errorf("the command took longer than %s", r.limits().Command))
	defer cancel()
	name := strings.TrimPrefix(c.Context, "kind-") + "-control-plane"
	_, err := shell.Run(ctx, shell.Command{Args: append([]string{"docker", "exec", name}, args...), Env: os.Environ()})
	if err != nil {
		return fmt.Errorf("run %s in node %s: %w", strings.Join(args, " "), name, err)
	}
	return nil
}

// filter adds a rule to the node's packet filter, and unfilter takes it away, however often it was added.
func (r *Rig) filter(ctx context.Context, c *cluster.Cluster, chain, rule string) error {
	return r.node(ctx, c, append([]string{"iptables", "-w", "-I", chain}, strings.Fields(rule)...)...)
}

func (r *Rig) unfilter(ctx context.Context, c *cluster.Cluster, chain, rule string) error {
	return r.node(ctx, c, "sh", "-c", "while iptables -w -D "+chain+" "+rule+" 2>/dev/null; do :; done")
}

// gatewayAddress is the address that the load balancer gave to a cluster's gateway.
func (r *Rig) gatewayAddress(ctx context.Context, c *cluster.Cluster) (string, error) {
	s, err := c.Kube().CoreV1().Services(system).Get(ctx, gateway, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("read the gateway's service on cluster %s: %w", c.Name, err)
	}
	for _, i := range s.Status.LoadBalancer.Ingress {
		return i.IP, nil
	}
	return "", fmt.Errorf("the gateway's service on cluster %s has no address", c.Name)
}

// addressed waits until a cluster's gateway has an address.
func (r *Rig) addressed(ctx context.Context, c *cluster.Cluster) error {
	w := poll.Wait{What: "the gateway has an address", Where: "cluster " + c.Name, Limit: r.limits().Notice}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		_, err := r.gatewayAddress(ctx, c)
		return "", err
	})
}

// nodeAddress is where a cluster's API server is, without its port.
func nodeAddress(c *cluster.Cluster) (string, error) {
	host, _, err := net.SplitHostPort(strings.TrimPrefix(c.Server(), "https://"))
	if err != nil {
		return "", fmt.Errorf("read the address of cluster %s from %s: %w", c.Name, c.Server(), err)
	}
	return host, nil
}

// unused gives an address of the clusters' own network that nobody has: the last but one of a /24 around the node's. Any
// other network may have somebody who answers.
func unused(c *cluster.Cluster) (string, error) {
	host, err := nodeAddress(c)
	if err != nil {
		return "", err
	}
	ip := net.ParseIP(host).To4()
	if ip == nil {
		return "", fmt.Errorf("the address %s of cluster %s is not IPv4", host, c.Name)
	}
	return net.IPv4(ip[0], ip[1], ip[2], unusedHost).String(), nil
}

const (
	unusedHost = 253
	readyLimit = 5 * time.Second
)

// watch waits for a condition on west's sample.
func (r *Rig) watch(ctx context.Context, what string, try poll.Try) error {
	return poll.Until(ctx, poll.Wait{What: what, Where: "cluster " + r.west().Name + ", namespace " + sample, Limit: r.limits().Notice}, try)
}

// complained waits until istiod on east says in its log that it could not read west: on a connection that is still open from
// before, it takes HTTP/2's own 45 s until a request is known to be lost.
func (r *Rig) complained(ctx context.Context) error {
	w := poll.Wait{What: "istiod says why it cannot read " + r.remote(), Where: "cluster " + r.east().Name, Limit: 2 * r.limits().Notice, Every: time.Second}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		out, err := r.kubectl(ctx, r.east(), "", "-n", system, "logs", "deploy/istiod-"+r.Intent.Revision, "--since=3m")
		if err == nil && !strings.Contains(out, "watch error in cluster "+r.remote()) {
			err = errors.New("not yet")
		}
		return "", err
	})
}
