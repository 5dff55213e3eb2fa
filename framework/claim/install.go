package claim

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

func judgeControlPlane(v view) result {
	var n notes
	found := 0
	for _, d := range seen.IstiodDeployments(v.objects(v.self.Name)) {
		if d.Labels[seen.RevisionKey] != v.run.Intent.Revision {
			continue
		}
		found++
		if d.Replicas < 1 || d.Available < d.Replicas {
			n.breaks("deployment %s has %d of %d replicas available", d.Name, d.Available, d.Replicas)
		}
	}
	if found == 0 {
		n.breaks("cluster %s has no deployment of istiod with revision %s in %s", v.self.Name, v.run.Intent.Revision, seen.Istio)
	}
	return n.result("the control plane %s of %s is available", v.run.Intent.Revision, v.self.Name)
}

// judgeNetworks compares the names with each other, not with what the run expects: mesh-ids does that.
func judgeNetworks(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	name, ok := seen.Network(k)
	switch {
	case !ok && len(k.Namespaces) == 0:
		n.puzzles("%s shows no namespace at all", evidence.FileOfKubernetes(v.epoch, v.self.Name))
		return n.result("")
	case name == "":
		n.breaks("namespace %s on %s has no label %s", seen.Istio, v.self.Name, seen.NetworkKey)
		return n.result("")
	}
	differs := func(what, got string) {
		if got != name {
			n.breaks("%s has %q, but namespace %s has %q", what, got, seen.Istio, name)
		}
	}
	for _, p := range slices.Concat(seen.GatewayPods(k), seen.AppPods(k, v.sample(), evidence.RoleHelloworld), seen.AppPods(k, v.sample(), evidence.RoleSleep)) {
		if _, injected := seen.Sidecar(p); injected {
			differs("ISTIO_META_NETWORK of pod "+p.Name, p.Env["ISTIO_META_NETWORK"])
		}
	}
	gateways := seen.GatewayPods(k)
	if len(gateways) == 0 {
		n.puzzles("cluster %s has no gateway pod to read a network from", v.self.Name)
	}
	for _, p := range gateways {
		differs("the label "+seen.NetworkKey+" of gateway pod "+p.Name, p.Labels[seen.NetworkKey])
		differs("ISTIO_META_REQUESTED_NETWORK_VIEW of gateway pod "+p.Name, p.Env["ISTIO_META_REQUESTED_NETWORK_VIEW"])
	}
	for _, s := range k.GatewayServices() {
		differs("the label "+seen.NetworkKey+" of service "+s.Name, s.Labels[seen.NetworkKey])
	}
	for _, peer := range v.peers {
		if other, _ := seen.Network(v.objects(peer.Name)); other == name {
			n.breaks("clusters %s and %s are both on network %q", v.self.Name, peer.Name, name)
		}
	}
	return n.result("cluster %s is on network %s everywhere, and alone", v.self.Name, name)
}

func judgeNamespace(v view) result {
	var n notes
	namespaces := v.objects(v.self.Name).Namespaces
	at := slices.IndexFunc(namespaces, func(o evidence.Object) bool { return o.Name == v.sample() })
	if at < 0 {
		n.breaks("cluster %s has no namespace %s", v.self.Name, v.sample())
		return n.result("")
	}
	labels := namespaces[at].Labels
	if got := labels[seen.RevisionKey]; got != v.run.Intent.Revision {
		n.breaks("namespace %s on %s has %s=%q, not %q", v.sample(), v.self.Name, seen.RevisionKey, got, v.run.Intent.Revision)
	}
	if got, there := labels[seen.InjectionKey]; there {
		n.breaks("namespace %s on %s has the label %s=%s too, which comes before the revision's", v.sample(), v.self.Name, seen.InjectionKey, got)
	}
	return n.result("namespace %s on %s asks for sidecars of %s", v.sample(), v.self.Name, v.run.Intent.Revision)
}

func judgeWebhook(v view) result {
	var n notes
	var have []string
	for _, w := range v.objects(v.self.Name).Webhooks {
		if w.Labels[seen.RevisionKey] == v.run.Intent.Revision {
			have = append(have, w.Name)
		}
	}
	if len(have) == 0 {
		n.breaks("none of %d injecting webhooks on %s is of revision %s", len(v.objects(v.self.Name).Webhooks), v.self.Name, v.run.Intent.Revision)
	}
	return n.result("sidecars of %s are injected on %s by %s", v.run.Intent.Revision, v.self.Name, list(sorted(have)))
}

var providerFlag = regexp.MustCompile(`pilotCertProvider=([A-Za-z0-9_-]+)`)

const providerVariable = "PILOT_CERT_PROVIDER"

// judgeProvider takes the control plane's value from istiod itself, or, where that was not taken, from the sidecars, into
// which istiod writes it.
func judgeProvider(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	flag := ""
	for _, s := range v.run.Steps {
		if m := providerFlag.FindStringSubmatch(s.Command); m != nil && s.Cluster == v.self.Name {
			flag = m[1]
		}
	}
	control, from := "", ""
	for _, p := range slices.Concat(seen.IstiodPods(k), seen.AppPods(k, v.sample(), evidence.RoleSleep), seen.AppPods(k, v.sample(), evidence.RoleHelloworld)) {
		if control == "" {
			control, from = p.Env[providerVariable], p.Name
		}
	}
	gateways := seen.GatewayPods(k)
	switch {
	case control == "":
		n.puzzles("no pod on %s shows the control plane's %s", v.self.Name, providerVariable)
	case len(gateways) == 0:
		n.puzzles("cluster %s has no gateway pod", v.self.Name)
	}
	has := ""
	for _, p := range gateways {
		has = p.Env[providerVariable]
		if control != "" && has != control {
			n.breaks("gateway pod %s has %s=%q, but pod %s has %q", p.Name, providerVariable, has, from, control)
		}
	}
	inert := ""
	if flag != "" && flag != has {
		inert = "; the guide's flag said " + flag + " and changed nothing"
	}
	res := n.result("the gateway of %s has %s=%s, as its control plane has%s", v.self.Name, providerVariable, control, inert)
	res.measured = map[string]any{"controlPlane": control, "gateway": has, "flag": flag}
	return res
}

// controlPlanePorts are those of istiod and of its webhook, which the guide's gateway offers in its service without
// listening on them; only a further Gateway object would open them.
func controlPlanePorts() []int32 { return []int32{15012, 15017} }

func judgeExposure(v view) result {
	var n notes
	var ports []int32
	var ranges, listening []string
	for _, s := range v.objects(v.self.Name).GatewayServices() {
		ports, ranges = append(ports, s.Ports...), append(ranges, s.Ranges...)
	}
	if len(ports) == 0 {
		n.puzzles("cluster %s has no service of the east-west gateway", v.self.Name)
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	envoys := gatewayProxies(v, func(p evidence.Proxy) {
		for _, port := range ports {
			listens, err := p.Listens(uint32(port))
			switch {
			case err != nil:
				n.puzzles("%v", err)
			case listens:
				listening = append(listening, strconv.Itoa(int(port)))
			}
			if listens && slices.Contains(controlPlanePorts(), port) {
				n.breaks("the gateway of %s listens on port %d, which is the control plane's, and its service offers it to %s", v.self.Name, port, sources(ranges))
			}
		}
	})
	if envoys == 0 {
		n.puzzles(noGateway, v.self.Name)
	}
	listening = sorted(listening)
	res := n.result("of the service's ports the gateway of %s listens on %s, open to %s", v.self.Name, list(listening), sources(ranges))
	res.measured = map[string]any{"ports": ports, "listening": listening, "sourceRanges": ranges}
	return res
}

func sources(ranges []string) string {
	everyone := slices.ContainsFunc(ranges, func(r string) bool {
		_, ipNet, err := net.ParseCIDR(r)
		if err != nil {
			return false
		}
		ones, _ := ipNet.Mask.Size()
		return ones == 0
	})
	if len(ranges) == 0 || everyone {
		return "every source: the guide advises to restrict that in production"
	}
	return strings.Join(ranges, ", ")
}
