package fault

import (
	"cmp"
	"context"
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
	"github.com/meshproof/meshproof/framework/shell"
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
	// account is the one behind east's remote secret for west, as it was found.
	account *corev1.ServiceAccount
}

const (
	system      = "istio-system"
	gateway     = "istio-eastwestgateway"
	gatewayPort = 15443
	appPort     = 5000 // helloworld's

	// sampleWord stands in manifests for the namespace of the guide's sample.
	sampleWord = "<sample>"

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
	env := shell.Bare(r.Dir, "KUBECACHEDIR="+r.Dir, "KUBERC=off")
	if r.Intent.Provision == intent.Supplied {
		env = append(env, shell.Callers("PATH", "KUBECONFIG", "KUBECACHEDIR", "KUBERC")...) // the last one of a name counts
	}
	got, err := shell.Run(ctx, shell.Command{
		Args: append([]string{r.Kubectl, "--kubeconfig", c.Kubeconfig, "--context", c.Context}, args...),
		Env:  env, Stdin: strings.NewReader(stdin), Dir: r.Dir, Keep: maxOutput,
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

// sample is the namespace of sleep and helloworld.
func (r *Rig) sample() string { return r.Intent.Namespace() }

func (r *Rig) placed(manifest string) string {
	return strings.ReplaceAll(manifest, sampleWord, r.sample())
}

func (r *Rig) apply(ctx context.Context, c *cluster.Cluster, text string) error {
	_, err := r.kubectl(ctx, c, r.placed(text), "apply", "-f", "-")
	return err
}

func (r *Rig) remove(ctx context.Context, c *cluster.Cluster, text string) error {
	_, err := r.kubectl(ctx, c, r.placed(text), "delete", "--ignore-not-found", "-f", "-")
	return err
}

// patch merges a JSON document into an object.
func (r *Rig) patch(ctx context.Context, c *cluster.Cluster, namespace, object, merge string) error {
	return r.do(ctx, c, "-n", namespace, "patch", object, "--type=merge", "-p", merge)
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

// gatewayAddress is the address that the load balancer gave to a cluster's gateway: an IP address, or a host name.
func (r *Rig) gatewayAddress(ctx context.Context, c *cluster.Cluster) (string, error) {
	s, err := c.Kube().CoreV1().Services(system).Get(ctx, gateway, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("read the gateway's service on cluster %s: %w", c.Name, err)
	}
	for _, i := range s.Status.LoadBalancer.Ingress {
		if address := cmp.Or(i.IP, i.Hostname); address != "" {
			return address, nil
		}
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
