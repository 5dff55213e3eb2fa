package preflight

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
)

// Rows judges the facts: first this machine, then each cluster, then what the clusters have to have in common.
func Rows(f Facts) []Row {
	var rows []Row
	if !f.Asked.ReadOnly {
		rows = hostRows(f)
	}
	for _, c := range f.Clusters {
		rows = append(rows, clusterRows(f, c)...)
	}
	if len(f.Clusters) > 1 {
		two := different(f.Clusters)
		rows = append(rows, two)
		if two.Verdict != Failed { // one cluster given twice has nothing that could be compared
			platform := platforms(f.Platform, f.Clusters)
			if f.Asked.installs() { // networks and roots are the run's own then
				return append(rows, platform, clocks(f.Clusters))
			}
			rows = append(rows, networks(f.Clusters), platform, roots(f.CA, f.Clusters), clocks(f.Clusters))
		}
	}
	return rows
}

func ok(name, seen string) Row          { return Row{Name: name, Verdict: OK, Seen: seen} }
func failed(name, seen, do string) Row  { return Row{Name: name, Verdict: Failed, Seen: seen, Do: do} }
func unknown(name, seen, do string) Row { return Row{Name: name, Verdict: Unknown, Seen: seen, Do: do} }
func unseen(name string, err error) Row {
	return unknown(name, err.Error(), "mend what the message says, and look again")
}
func (r Row) on(c Cluster) Row { r.Cluster = c.Name; return r }

func clusterRows(f Facts, c Cluster) []Row {
	rows := []Row{reached(c), address(c)}
	if f.Dialled != nil {
		rows = append(rows, reachedByPeers(f, c))
	}
	if c.Answer.Err == nil {
		plane := controlPlane(c.Mesh)
		if f.Asked.installs() {
			plane = noControlPlane(c.Vacant)
		}
		rows = append(rows, plane, permissions(c.Denied), clock(c.Answer.Value.Ahead))
		rows = append(rows, joinRows(f, c)...)
		if !f.Asked.ReadOnly {
			rows = append(rows, kubectl(f.Host.Kubectl, c.Answer.Value.Version))
			if !f.Asked.installs() { // else no mesh says its version yet, nor any pull secrets
				rows = append(rows, istioctl(f.Host, c.Mesh), pullSecrets(c.Secrets, c.Pulls.Value))
			}
			rows = append(rows, loadBalancer(c.Balancer), podSecurity(c.Admission), podImages(c.Pulls))
			if !f.Asked.From.Skips(intent.StepExpose) {
				rows = append(rows, portsFree(f.Asked.From, c.Ports, c.Balancer.Value))
			}
		}
	}
	for i := range rows {
		rows[i] = rows[i].on(c)
	}
	return rows
}

func reached(c Cluster) Row {
	const name = "API server"
	switch err := c.Answer.Err; {
	case errors.Is(err, cluster.ErrAccess):
		return failed(name, err.Error(), "give a kubeconfig that opens it")
	case err != nil:
		return unknown(name, err.Error(), "see that "+c.Server+" can be reached from here")
	}
	return ok(name, c.Server+" answers, "+c.Answer.Value.Version)
}

// address judges whether istiod in the other cluster can use the address, which S8 writes into a remote secret as it is.
func address(c Cluster) Row {
	const name = "address for the peer's pods"
	switch {
	case c.Local:
		return failed(name, c.Server+" is a loopback address: in a pod of the other cluster it means that pod", "give a kubeconfig with an address that the other cluster's pods reach")
	case c.Proxied:
		return unknown(name, c.Server+" is reached from here through the kubeconfig's proxy, which istiod in the other cluster does not use", "see that the other cluster's pods reach it without")
	}
	return ok(name, c.Server+" is no loopback address and needs no proxy here (--probe has the peer's pods dial it)")
}

var minorForm = regexp.MustCompile(`^v?(\d+)\.(\d+)`)

// minor gives the minor version of "v1.36.1", and whether it has one.
func minor(version string) (int, bool) {
	parts := minorForm.FindStringSubmatch(version)
	if parts == nil || parts[1] != "1" {
		return 0, false
	}
	n, err := strconv.Atoi(parts[2])
	return n, err == nil
}

// kubectl judges the skew that Kubernetes supports: one minor version, older or newer.
func kubectl(own Seen[string], server string) Row {
	const name = "kubectl"
	if own.Err != nil {
		return unknown(name, "none can be asked here ("+own.Err.Error()+"): the run builds its own", "install one within one minor version of "+server)
	}
	a, oneKnown := minor(own.Value)
	b, otherKnown := minor(server)
	seen := "kubectl " + own.Value + ", server " + server
	switch {
	case !oneKnown || !otherKnown:
		return unknown(name, seen+": they cannot be compared", "see that they are within one minor version")
	case a-b > 1 || b-a > 1:
		return failed(name, seen+": more than one minor version apart", "put a kubectl within one minor version of the server first on the PATH")
	}
	return ok(name, seen)
}

func controlPlane(m Seen[Mesh]) Row {
	const name = "control plane"
	switch {
	case errors.Is(m.Err, preinstalled.ErrUnfit):
		return failed(name, m.Err.Error(), "install the control plane as the guide's prerequisites say, or give its revision")
	case m.Err != nil:
		return unseen(name, m.Err)
	}
	return ok(name, "istiod "+version(m.Value)+" on network "+m.Value.Network)
}

// noControlPlane judges a cluster to which the run would bring one.
func noControlPlane(vacant error) Row {
	const name = "control plane"
	switch {
	case errors.Is(vacant, istio.ErrThere):
		return failed(name, vacant.Error(), "leave --from out to begin at the gateways, or remove what is there")
	case vacant != nil:
		return unseen(name, vacant)
	}
	return ok(name, "no Istio is there: the run would install it")
}

func version(m Mesh) string {
	if m.Version == "" {
		return "of a version that its image does not say"
	}
	return m.Version
}

func istioctl(h Host, m Seen[Mesh]) Row {
	const name = "istioctl"
	switch {
	case !h.Released:
		return unknown(name, "the run would put a release directory together from the pinned Istio, which cannot be compared with istiod "+version(m.Value), "give the one that installed it with --release-dir")
	case h.Istioctl.Err != nil:
		return failed(name, h.Istioctl.Err.Error(), "give the --output_dir of `asmcli install` with --release-dir")
	case m.Value.Version == "":
		return unknown(name, "istioctl "+h.Istioctl.Value+", istiod "+version(m.Value), "see that they are of one release")
	}
	if err := preinstalled.SameRelease(h.Istioctl.Value, m.Value.Version); err != nil {
		return failed(name, err.Error(), "give the release directory of istiod's release")
	}
	return ok(name, "istioctl "+h.Istioctl.Value+", istiod "+m.Value.Version)
}

// loadBalancer judges hints: only a service that has got an address is proof.
func loadBalancer(b Seen[Balancer]) Row {
	const name = "load balancer"
	v := b.Value
	switch {
	case b.Err != nil:
		return unknown(name, b.Err.Error(), "allow the user to list services in all namespaces for this look, or see yourself that a service of type LoadBalancer gets an address")
	case len(v.Addressed) > 0:
		return ok(name, fmt.Sprintf("%d services have an address, such as %s", len(v.Addressed), v.Addressed[0]))
	case len(v.Pending) > 0:
		return failed(name, "no service of type LoadBalancer has an address, and "+strings.Join(v.Pending, ", ")+" waits for one", "install a load balancer, such as MetalLB, or see why it gives none")
	case v.Pools:
		return ok(name, "MetalLB has pools of addresses")
	case len(v.Clouds) > 0:
		return unknown(name, "no service of type LoadBalancer is there; the nodes are of "+strings.Join(v.Clouds, ", "), "see that a service of type LoadBalancer gets an address")
	}
	return unknown(name, "nothing hints at one: no service of type LoadBalancer, no MetalLB, no cloud", "install a load balancer, such as MetalLB: the gateways need an address")
}

func permissions(denied Seen[[]string]) Row {
	const name = "permissions"
	const shown = 5
	switch all := denied.Value; {
	case denied.Err != nil:
		return unseen(name, denied.Err)
	case len(all) > shown:
		return failed(name, fmt.Sprintf("the user may not %s, and %d more", strings.Join(all[:shown], ", "), len(all)-shown), "grant the roles that meshproof rbac prints")
	case len(all) > 0:
		return failed(name, "the user may not "+strings.Join(all, ", "), "grant the roles that meshproof rbac prints")
	}
	return ok(name, "the user may do everything that the run does")
}

// podSecurity judges the levels that admission gives to the namespaces with injected pods. istio-init needs NET_ADMIN and
// NET_RAW, which baseline refuses; the guide's samples say nothing of what restricted asks for. The gateway has no istio-init, but its
// chart gives it no seccomp profile either (manifests/charts/gateways), without which restricted refuses it.
func podSecurity(a Seen[Admission]) Row {
	const name = "admission"
	if a.Err != nil {
		return unseen(name, a.Err)
	}
	var bad []string
	for _, ns := range slices.Sorted(maps.Keys(a.Value.Enforced)) {
		level := a.Value.Enforced[ns]
		if ns != probes && (level == "restricted" || level == "baseline" && !a.Value.CNI && ns != istio.Namespace) {
			bad = append(bad, ns+" is "+level)
		}
	}
	if len(bad) > 0 {
		return failed(name, "Pod Security would refuse pods of the run: "+strings.Join(bad, ", "), "exempt these namespaces, or use Istio's network plugin and the level baseline")
	}
	return ok(name, "the namespaces can be made, and no Pod Security level refuses the sample or the gateway (a default of the whole API server cannot be seen)")
}

// grace is how far Istio dates its certificates back (security/pkg/pki/util: ClockSkewGracePeriod).
const grace = 2 * time.Minute

func clock(ahead time.Duration) Row {
	const name = "clock"
	seen := fmt.Sprintf("%.0f s ahead of this machine's", ahead.Seconds())
	if ahead.Abs() > grace {
		return failed(name, seen, "set the clocks: a certificate of the future is refused")
	}
	return ok(name, seen)
}
