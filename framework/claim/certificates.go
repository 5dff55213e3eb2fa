package claim

import (
	"time"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// eachEnvoy calls look for each pod on self with its Envoy and certificates, and notes what is missing.
func eachEnvoy(v view, n *notes, look func(evidence.Pod, evidence.Proxy, []evidence.Certificate)) (count int) {
	for _, p := range envoyPods(v) {
		envoy, there := seen.ProxyOf(v.cluster(v.self.Name), p)
		if !there {
			continue // a pod that does not run
		}
		count++
		switch certs, err := envoy.Certificates(); {
		case err != nil:
			n.puzzles("%v", err)
		case len(certs) == 0:
			n.breaks("the proxy of pod %s has no certificate", p.Name)
		default:
			look(p, envoy, certs)
		}
	}
	if count == 0 {
		n.puzzles("cluster %s has no Envoy to read certificates from", v.self.Name)
	}
	return count
}

func judgeIdentity(v view) result {
	var n notes
	if v.run.Intent.TrustDomain == "" {
		n.puzzles("%s does not say which trust domain is expected", evidence.IntentFile)
		return n.result("")
	}
	count := eachEnvoy(v, &n, func(p evidence.Pod, _ evidence.Proxy, certs []evidence.Certificate) {
		want := "spiffe://" + v.run.Intent.TrustDomain + "/ns/" + p.Namespace + "/sa/" + p.ServiceAccount
		for _, c := range certs {
			if len(c.URIs) != 1 || c.URIs[0] != want {
				n.breaks("the proxy of pod %s shows a certificate for %s, not for %s", p.Name, list(c.URIs), want)
			}
		}
	})
	return n.result("all %d proxies on %s show the SPIFFE id of their pod's account in %s", count, v.self.Name, v.run.Intent.TrustDomain)
}

func judgeValidity(v view) result {
	var n notes
	var end time.Time
	count := eachEnvoy(v, &n, func(p evidence.Pod, envoy evidence.Proxy, certs []evidence.Certificate) {
		if why := seen.Invalid(envoy, certs); why != "" {
			n.breaks("pod %s: %s", p.Name, why)
		}
		for _, c := range certs {
			if end.IsZero() || c.NotAfter.Before(end) {
				end = c.NotAfter
			}
		}
	})
	res := n.result("all certificates of %d proxies on %s were valid, the first until %s", count, v.self.Name, end.Format(time.RFC3339))
	if !end.IsZero() {
		res.measured = map[string]any{"firstEnd": end.Format(time.RFC3339)}
	}
	return res
}

func judgeCA(v view) result {
	var n notes
	k := v.objects(v.self.Name)
	own := k.MeshRoot
	if own == "" {
		n.puzzles("cluster %s shows no root of istiod's own", v.self.Name)
	}
	istioCA := v.run.Intent.IstiodSigns()
	count := 0
	for _, p := range envoyPods(v) {
		envoy, there := seen.ProxyOf(v.cluster(v.self.Name), p)
		if !there {
			continue
		}
		count++
		switch {
		case envoy.RootSHA256 == "":
			n.puzzles("pod %s shows no root certificate", p.Name)
		case istioCA && own != "" && !envoy.TrustsMeshRoot(k):
			n.breaks("pod %s trusts the root %.16s, but istiod's own is %.16s: another authority signs here", p.Name, envoy.RootSHA256, own)
		case !istioCA && envoy.RootSHA256 == own:
			n.breaks("pod %s trusts istiod's own root %.16s, but %s was to sign", p.Name, own, v.run.Intent.CA)
		}
	}
	if count == 0 {
		n.puzzles("cluster %s has no Envoy to read a root from", v.self.Name)
	}
	if istioCA {
		return n.result("all %d proxies on %s trust istiod's own root", count, v.self.Name)
	}
	return n.result("all %d proxies on %s trust a root that is not istiod's own", count, v.self.Name)
}
