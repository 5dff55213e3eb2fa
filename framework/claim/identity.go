package claim

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

func identityRules() []rule {
	envoys := []part{objects(ofSelf), proxies(evidence.RoleSleep, ofSelf), proxies(evidence.RoleHelloworld, ofSelf), proxies(evidence.RoleGateway, ofSelf)}
	return []rule{{
		Claim: Claim{ID: "common-root", Level: Core, Kind: Converges, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
			Sentence: "The workloads of all clusters trust one and the same root certificate."},
		about: wholeMesh,
		reads: []part{objects(ofPeers), proxies(evidence.RoleSleep, ofPeers), proxies(evidence.RoleHelloworld, ofPeers), proxies(evidence.RoleGateway, ofPeers)},
		judge: judgeRoot,
	}, {
		Claim: Claim{ID: "trust-domain", Level: Core, Kind: Converges, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
			Sentence: "The control plane and its proxies are of the trust domain that the certificate authority gives."},
		about: eachCluster, reads: []part{objects(ofSelf), istiods(ofSelf)}, judge: judgeTrustDomain,
	}, {
		Claim: Claim{ID: "workload-identity", Level: Core, Kind: Converges, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
			Sentence: "Every proxy shows a certificate for the SPIFFE id of its pod's service account in the trust domain."},
		about: eachCluster, reads: envoys, judge: judgeIdentity,
	}, {
		Claim: Claim{ID: "certificates-valid", Level: Core, Kind: Converges, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
			Sentence: "Every certificate that a proxy shows or trusts was valid when it was looked at."},
		about: eachCluster, reads: envoys, judge: judgeValidity,
	}, {
		// Extended: on given clusters the certificate authority is what the run was told, which nothing in the guide's steps shows.
		Claim: Claim{ID: "ca-in-use", Level: Extended, Kind: Converges, Area: Identity, Epoch: evidence.Joined, Guide: beforeYouBegin,
			Sentence: "The proxies' root is istiod's own with Istio CA, and another with every other certificate authority."},
		about: eachCluster, reads: envoys, judge: judgeCA,
	}}
}

func judgeRoot(v view) result {
	var n notes
	var roots []string
	by := map[string][]string{} // root -> who trusts it
	see := func(what, digest string) {
		if digest == "" {
			n.puzzles("%s shows no root certificate", what)
			return
		}
		if by[digest] == nil {
			roots = append(roots, digest)
		}
		by[digest] = append(by[digest], what)
	}
	for _, c := range v.peers {
		seenCluster := v.cluster(c.Name)
		// A control plane whose root the proxies trust beside trust anchors adds nothing: the proxies are compared with each other.
		if v.run.Intent.IstiodSigns() && seenCluster.Root(v.run.Intent) == seenCluster.Kubernetes.MeshRoot {
			see("the control plane of "+c.Name, seenCluster.Kubernetes.MeshRoot)
		}
		envoys := slices.Concat(seenCluster.Proxy(evidence.RoleSleep), seenCluster.Proxy(evidence.RoleHelloworld), seenCluster.Proxy(evidence.RoleGateway))
		if len(envoys) == 0 {
			n.puzzles("cluster %s has no Envoy to read a root from", c.Name)
		}
		for _, p := range envoys {
			see("pod "+p.Pod+" on "+c.Name, p.RootSHA256)
		}
	}
	if len(roots) == 0 {
		n.puzzles("no root certificate was seen")
		return n.result("")
	}
	for _, other := range roots[1:] {
		verb := "trust"
		if len(by[other]) == 1 {
			verb = "trusts"
		}
		n.breaks("%s trusts the root %.16s, but %s %s %.16s", by[roots[0]][0], roots[0], strings.Join(by[other], ", "), verb, other)
	}
	return n.result("all proxies of all clusters trust the root with SHA-256 %.16s", roots[0])
}
