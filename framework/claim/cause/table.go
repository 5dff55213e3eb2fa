package cause

import (
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
)

// ofOneCluster are the claims that one cluster alone keeps or breaks.
func ofOneCluster() []string {
	return []string{
		"mesh-ids", "one-revision", "sidecars", "control-plane-available", "network-names", "namespace-labelled", "injector-webhook",
		"gateway-available", "gateway-address", "gateway-listener", "gateway-exposes", "cert-provider", "gateway-exposure",
		"gateway-backend-healthy", "remote-secrets", "proxies-synced", "remote-cluster-metrics", "reader-access", "locality-off",
		"trust-domain", "workload-identity", "certificates-valid", "ca-in-use", "sample-removed", "endpoints-withdrawn",
	}
}

// ofTheCalls are the claims about calls from one cluster that another may answer.
func ofTheCalls() []string {
	return []string{"guide-calls", "split-replies", "split-accounted", "split-balanced", "served-by-peer", "crossed-by-gateway", "accepts-mesh-certificate",
		"second-endpoints", "second-service", "traffic-identity"}
}

// ofPods are the claims that need the pods of the sample or the gateway to run with a proxy.
func ofPods() []string {
	return with(ofTheCalls(), "procedure", "sidecars", "gateway-available", "gateway-listener", "gateway-exposes", "gateway-reached",
		"gateway-backend-healthy", "endpoints-across-gateway", "endpoints-shared", "lb-policy", "proxies-synced", "mesh-ids")
}

// ofTheSecrets are the claims that need istiod to read the other clusters.
func ofTheSecrets() []string {
	return with(ofTheCalls(), "remote-clusters-synced", "remote-secrets", "remote-cluster-metrics", "endpoints-across-gateway", "endpoints-shared", "gateways-known")
}

// ofTheGateway are the claims that need a gateway that takes connections.
func ofTheGateway() []string {
	return with(ofTheCalls(), "gateway-listener", "gateway-exposes", "gateway-reached", "gateway-backend-healthy")
}

func with(ids []string, more ...string) []string { return slices.Concat(ids, more) }

// table gives every cause, the most certain first. Within one finding, what is shown by an object that is not as it must
// be comes before what is shown by an effect that several faults may have.
func table() []row {
	return slices.Concat(environment(), installation(), trust(), discovery(), gateways(), sharing())
}

// environment are the causes that lie around the mesh, and with which nothing can be said of it.
func environment() []row {
	return []row{
		{
			id: "api-server-unreachable", verdict: claim.Inconclusive, shows: unreachable,
			remedy: "Bring the cluster's API server back (is its node, or the container engine, running?), and run again.",
		},
		{
			id: "image-not-pullable", verdict: claim.Inconclusive, shows: unpullable,
			// Not the claims on names and identities: what a pod that does run shows of them is no image's fault.
			explains: with(ofPods(), "one-revision", "control-plane-available", "remote-clusters-synced", "gateways-known", "remote-cluster-metrics"),
			remedy:   "Make the image available to the nodes (registry, mirror, pull secret, tag), and run again.",
		},
		{
			id: "lb-pool-empty", verdict: claim.Inconclusive, shows: poolEmpty,
			explains: with(ofTheCalls(), "procedure", "gateway-address", "gateway-reached", "gateways-known", "endpoints-across-gateway", "lb-policy"),
			remedy:   "Give the load balancer's address pool more addresses, or free some, and run again.",
		},
	}
}

// installation are the causes that lie in how each cluster was set up.
func installation() []row {
	return []row{
		{
			id: "not-injected", verdict: claim.Failed, shows: notInjected,
			explains: with(ofPods(), "common-root", "network-names", "cert-provider", "gateway-exposure", "workload-identity", "certificates-valid", "ca-in-use"),
			remedy:   "Label the namespace with istio.io/rev of the installed revision, without istio-injection beside it, and make the pods anew.",
		},
		{
			id: "injected-by-another-revision", verdict: claim.Failed, shows: otherInjector, explains: []string{"sidecars", "gateway-available", "proxies-synced"},
			remedy: "Label the namespace (for the gateway, its pods) with istio.io/rev of the revision that the mesh is to have, and make the pods anew.",
		},
		{
			id: "two-revisions", verdict: claim.Failed, shows: twoRevisions, explains: []string{"one-revision", "sidecars", "gateway-available", "injector-webhook"},
			remedy: "Bring every cluster to one revision, move the workloads to it, and remove the other control plane.",
		},
		{
			id: "service-missing", verdict: claim.Failed, shows: serviceMissing,
			explains: with(ofTheCalls(), "endpoints-across-gateway", "endpoints-shared", "gateway-exposes", "gateway-backend-healthy", "lb-policy"),
			remedy:   "Create the service helloworld in every cluster (guide, S11): its name is resolved by each cluster's own DNS.",
		},
		{
			// The cluster's DNS lies around the mesh, but only once the service is known to be there.
			id: "dns", verdict: claim.Inconclusive, shows: dns, explains: ofTheCalls(),
			remedy: "Look at the cluster's DNS (the pods of kube-dns, their service, the node's own resolver), and run again.",
		},
		{
			id: "same-network", verdict: claim.Failed, shows: sameNetwork,
			explains: with(ofTheCalls(), "mesh-ids", "network-names", "endpoints-across-gateway", "endpoints-shared", "gateways-known", "gateway-backend-healthy"),
			remedy:   "Give each cluster a network name of its own, at the installation of the control plane and in gen-eastwest-gateway.sh --network (finding F1).",
		},
		{
			id: "version-in-wrong-cluster", verdict: claim.Failed, shows: wrongVersion, explains: ofTheCalls(),
			remedy: "Run v1 of helloworld in the first cluster and v2 in the second, each alone (guide, S12).",
		},
	}
}

// trust are the causes that lie in certificates.
func trust() []row {
	return []row{
		{
			id: "different-roots", verdict: claim.Failed, shows: differentRoots, explains: with(ofTheCalls(), "common-root"),
			remedy: "Put certificates of one common root into the secret cacerts of every cluster, then restart istiod, the gateways and the workloads.",
		},
		{
			id: "certificate-not-valid", verdict: claim.Failed, shows: invalidCertificate, explains: with(ofTheCalls(), "certificates-valid"),
			remedy: "Set the clocks of the nodes, put a certificate authority in place that is valid now, and make the workloads' pods anew.",
		},
	}
}

// sharing are the causes that lie in how calls are shared and answered.
func sharing() []row {
	return []row{
		{
			id: "authorization-denied", verdict: claim.Failed, shows: denied,
			explains: ofTheCalls(),
			remedy:   "Allow the callers' identities of every cluster in the authorization policy, or remove it: identities keep their form across the gateway.",
		},
		{
			id: "endpoint-ejected", verdict: claim.Failed, shows: ejected, explains: with(ofTheCalls(), "endpoints-across-gateway"),
			remedy: "Look at why calls to this endpoint failed; then ease the outlier detection of the destination rule, or remove it.",
		},
		{
			id: "endpoint-unhealthy", verdict: claim.Failed, shows: unhealthy, explains: with(ofTheCalls(), "endpoints-across-gateway", "gateway-backend-healthy"),
			remedy: "Bring the pod to readiness: until then every call that picks it is tried again elsewhere.",
		},
		{
			id: "failover-priority", verdict: claim.Failed, shows: failover, explains: with(ofTheCalls(), "endpoints-across-gateway", "lb-policy"),
			remedy: "Take the locality settings out of the destination rule, or set localityLbSetting.enabled to false in the mesh.",
		},
		{
			id: "subset-on-one-side", verdict: claim.Failed, shows: subsetOnOneSide, explains: with(ofTheCalls(), "lb-policy"),
			remedy: "Apply the destination rule with its subsets in every cluster: each gateway makes its filter chains from its own cluster's rules.",
		},
		{
			id: "virtual-service", verdict: claim.Failed, shows: virtualService, explains: with(ofTheCalls(), "lb-policy"),
			remedy: "Remove the virtual service for helloworld, or take its weights for the shares that are wanted.",
		},
		{
			id: "destination-rule", verdict: claim.Failed, shows: destinationRule, explains: with(ofTheCalls(), "lb-policy"),
			remedy: "Remove the destination rule for helloworld, or take the setting out of it.",
		},
		{
			id: "stale-endpoint", verdict: claim.Failed, shows: stale, explains: with(ofTheCalls(), "endpoints-across-gateway", "gateway-backend-healthy"),
			remedy: "Look whether istiod still hears of its cluster's pods and the proxies still hear of istiod (proxies-synced); restart the one that does not.",
		},
		{
			id: "remote-connections-failing", verdict: claim.Failed, shows: connectionsFailing, explains: with(ofTheCalls(), "gateway-reached"),
			remedy: "Each failed attempt was tried again elsewhere, so callers saw 200. Look at the peer's gateway and sidecar, and at what lies between them.",
		},
	}
}
