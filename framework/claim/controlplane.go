package claim

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// neededTypes are the resource types that a proxy of this role is sent. A gateway that passes TLS on has no routes.
func neededTypes(role string) []string {
	needed := []string{evidence.TypeClusters, evidence.TypeListeners, evidence.TypeEndpoints}
	if role != evidence.RoleGateway {
		needed = append(needed, evidence.TypeRoutes)
	}
	return needed
}

// judgeProxiesSynced wants each proxy at one replica: a replica may still list a connection that a proxy has left.
func judgeProxiesSynced(v view) result {
	var n notes
	var all []evidence.ProxySync
	replicas(v, &n, func(i evidence.Istiod) {
		proxies, err := i.Proxies()
		if err != nil {
			n.puzzles("%v", err)
		}
		all = append(all, proxies...)
	})
	count := 0
	var versions []string
	for _, role := range []string{evidence.RoleGateway, evidence.RoleHelloworld, evidence.RoleSleep} {
		for _, p := range seen.PodsOf(v.objects(v.self.Name), v.sample(), role) {
			if _, injected := seen.Sidecar(p); !injected || p.Phase != running {
				continue // sidecars and gateway-available say so
			}
			count++
			versions = append(versions, noteSynced(&n, p, role, all))
		}
	}
	if count == 0 {
		n.puzzles("cluster %s has no running pod with a proxy", v.self.Name)
	}
	res := n.result("all %d proxies on %s have taken what istiod sent", count, v.self.Name)
	res.measured = map[string]any{"proxies": count, "versions": sorted(slices.DeleteFunc(versions, func(s string) bool { return s == "" }))}
	return res
}

// noteSynced notes what a pod's proxy has not taken, and gives the version that it reports.
func noteSynced(n *notes, p evidence.Pod, role string, all []evidence.ProxySync) (version string) {
	var open string
	for _, s := range all {
		if s.Proxy != p.Name+"."+p.Namespace {
			continue
		}
		version = s.Version
		if open = behind(s, role); open == "" {
			return version
		}
	}
	switch {
	case open != "":
		n.breaks("the proxy of pod %s has not taken its %s", p.Name, open)
	case len(n.unclear) == 0:
		n.breaks("the proxy of pod %s is connected to no istiod of its cluster", p.Name)
	}
	return version
}

// behind names what a proxy has not taken, or "".
func behind(s evidence.ProxySync, role string) string {
	var open []string
	for _, kind := range neededTypes(role) {
		switch r := s.Resources[kind]; {
		case r.Error != "":
			open = append(open, kind+" (refused: "+strings.TrimSpace(r.Error)+")")
		case r.Sent == "":
			open = append(open, kind+" (never sent)")
		case !r.Synced():
			open = append(open, kind)
		}
	}
	return strings.Join(open, ", ")
}

func judgeTrustDomain(v view) result {
	var n notes
	want := v.run.Intent.TrustDomain
	if want == "" {
		n.puzzles("%s does not say which trust domain is expected", evidence.IntentFile)
		return n.result("")
	}
	replicas(v, &n, func(i evidence.Istiod) {
		mesh, err := i.Mesh()
		switch {
		case err != nil:
			n.puzzles("%v", err)
		case mesh.TrustDomain != want:
			n.breaks("istiod %s has the trust domain %q, not %q", i.Pod, mesh.TrustDomain, want)
		}
	})
	for _, p := range envoyPods(v) {
		if got, there := p.Env["TRUST_DOMAIN"]; there && got != want {
			n.breaks("pod %s was started in the trust domain %q, not %q", p.Name, got, want)
		}
	}
	return n.result("the mesh on %s has the trust domain %s", v.self.Name, want)
}

func judgeLocality(v view) result {
	var n notes
	replicas(v, &n, func(i evidence.Istiod) {
		switch mesh, err := i.Mesh(); {
		case err != nil:
			n.puzzles("%v", err)
		case mesh.LocalityLB:
			n.breaks("istiod %s weighs localities (localityLbSetting.enabled is not false)", i.Pod)
		}
	})
	return n.result("the mesh on %s does not weigh localities", v.self.Name)
}

// envoyPods are the live pods with a proxy on self.
func envoyPods(v view) []evidence.Pod {
	k := v.objects(v.self.Name)
	all := slices.Concat(seen.GatewayPods(k), seen.AppPods(k, v.sample(), evidence.RoleHelloworld), seen.AppPods(k, v.sample(), evidence.RoleSleep))
	return slices.DeleteFunc(all, func(p evidence.Pod) bool { _, injected := seen.Sidecar(p); return !injected })
}
