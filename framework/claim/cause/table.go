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
		"gateway-backend-healthy", "remote-secrets", "create-mesh-secrets", "proxies-synced", "remote-cluster-metrics", "reader-access", "locality-off",
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
	return with(ofTheCalls(), "remote-clusters-synced", "remote-secrets", "create-mesh-secrets", "remote-cluster-metrics", "endpoints-across-gateway", "endpoints-shared", "gateways-known")
}

// ofTheGateway are the claims that need a gateway that takes connections.
func ofTheGateway() []string {
	return with(ofTheCalls(), "gateway-listener", "gateway-exposes", "gateway-reached", "gateway-backend-healthy")
}

func with(ids []string, more ...string) []string { return slices.Concat(ids, more) }

// table gives every cause, the most certain first. Within one finding, what is shown by an object that is not as it must
// be comes before what is shown by an effect that several faults may have.
func table() []row {
	return slices.Concat(environment(), createMesh(), installation(), trust(), discovery(), gateways(), sharing())
}

// environment are the causes that lie around the mesh, and with which nothing can be said of it.
func environment() []row {
	return []row{
		{
			id: "api-server-unreachable", verdict: claim.Inconclusive, shows: unreachable,
			sentence: "The API server of a cluster does not answer, so nothing can be seen or done there.",
			remedy:   "Bring the cluster's API server back (is its node, or the container engine, running?), and run again.",
		},
		{
			id: "image-not-pullable", verdict: claim.Inconclusive, shows: unpullable,
			sentence: "A node cannot pull an image that a pod of the mesh or the sample needs.",
			// Not the claims on names and identities: what a pod that does run shows of them is no image's fault.
			explains: with(ofPods(), "one-revision", "control-plane-available", "remote-clusters-synced", "gateways-known", "remote-cluster-metrics"),
			remedy:   "Make the image available to the nodes (registry, mirror, pull secret, tag), and run again.",
		},
		{
			id: "lb-pool-empty", verdict: claim.Inconclusive, shows: poolEmpty,
			sentence: "The load balancer has no address left for the gateway's service.",
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
			sentence: "A pod of the sample or the gateway runs without a sidecar, or kept the injector's placeholder image.",
			explains: with(ofPods(), "common-root", "network-names", "cert-provider", "gateway-exposure", "workload-identity", "certificates-valid", "ca-in-use"),
			remedy:   "Label the namespace with istio.io/rev of the installed revision, without istio-injection beside it, and make the pods anew.",
		},
		{
			id: "injected-by-another-revision", verdict: claim.Failed, shows: otherInjector, explains: []string{"sidecars", "gateway-available", "proxies-synced"},
			sentence: "A pod has its proxy from a control plane of another revision than the mesh's.",
			remedy:   "Label the namespace (for the gateway, its pods) with istio.io/rev of the revision that the mesh is to have, and make the pods anew.",
		},
		{
			id: "two-revisions", verdict: claim.Failed, shows: twoRevisions, explains: []string{"one-revision", "sidecars", "gateway-available", "injector-webhook"},
			sentence: "Control planes of several revisions run in the mesh.",
			remedy:   "Bring every cluster to one revision, move the workloads to it, and remove the other control plane.",
		},
		{
			id: "service-missing", verdict: claim.Failed, shows: serviceMissing,
			sentence: "A cluster lacks the service helloworld, so that its name does not resolve there.",
			explains: with(ofTheCalls(), "endpoints-across-gateway", "endpoints-shared", "gateway-exposes", "gateway-backend-healthy", "lb-policy"),
			remedy:   "Create the service helloworld in every cluster (guide, S11): its name is resolved by each cluster's own DNS.",
		},
		{
			// The cluster's DNS lies around the mesh, but only once the service is known to be there.
			id: "dns", verdict: claim.Inconclusive, shows: dns, explains: ofTheCalls(),
			sentence: "A cluster's DNS does not resolve helloworld for sleep, though the service is there.",
			remedy:   "Look at the cluster's DNS (the pods of kube-dns, their service, the node's own resolver), and run again.",
		},
		{
			id: sameNetworkID, verdict: claim.Failed, shows: sameNetwork,
			sentence: "Two clusters have one network name: istiod hands out raw pod addresses, and no gateway is used.",
			explains: with(ofTheCalls(), "mesh-ids", "network-names", "endpoints-across-gateway", "endpoints-shared", "gateways-known", "gateway-backend-healthy",
				"denies-missing-certificate", "denies-foreign-certificates"),
			remedy: "Give each cluster a network name of its own, at the installation of the control plane and in gen-eastwest-gateway.sh --network (finding F1).",
		},
		{
			id: "version-in-wrong-cluster", verdict: claim.Failed, shows: wrongVersion, explains: ofTheCalls(),
			sentence: "A cluster runs another version of helloworld than its own, so that versions do not tell the clusters apart.",
			remedy:   "Run v1 of helloworld in the first cluster and v2 in the second, each alone (guide, S12).",
		},
	}
}

// trust are the causes that lie in certificates.
func trust() []row {
	return []row{
		{
			id: "different-roots", verdict: claim.Failed, shows: differentRoots, explains: with(ofTheCalls(), "common-root"),
			sentence: "The proxies of the mesh trust different roots, so that one does not take another's certificates.",
			remedy:   "Put certificates of one common root into the secret cacerts of every cluster, then restart istiod, the gateways and the workloads.",
		},
		{
			id: "certificate-not-valid", verdict: claim.Failed, shows: invalidCertificate, explains: with(ofTheCalls(), "certificates-valid"),
			sentence: "A proxy's certificate was not valid at the time at which it was looked at.",
			remedy:   "Set the clocks of the nodes, put a certificate authority in place that is valid now, and make the workloads' pods anew.",
		},
	}
}

// sharing are the causes that lie in how calls are shared and answered.
func sharing() []row {
	return []row{
		{
			id: "authorization-denied", verdict: claim.Failed, shows: denied,
			sentence: "Calls are refused with \"RBAC: access denied\": an authorization policy stands in the way.",
			explains: ofTheCalls(),
			remedy:   "Allow the callers' identities of every cluster in the authorization policy, or remove it: identities keep their form across the gateway.",
		},
		{
			id: "endpoint-ejected", verdict: claim.Failed, shows: ejected, explains: with(ofTheCalls(), "endpoints-across-gateway"),
			sentence: "Outlier detection in the caller's proxy has taken an endpoint out.",
			remedy:   "Look at why calls to this endpoint failed; then ease the outlier detection of the destination rule, or remove it.",
		},
		{
			id: "endpoint-unhealthy", verdict: claim.Failed, shows: unhealthy, explains: with(ofTheCalls(), "endpoints-across-gateway", "gateway-backend-healthy"),
			sentence: "The caller is told that an endpoint is not healthy, or the gateway takes the pod behind it for unhealthy.",
			remedy:   "Bring the pod to readiness: until then every call that picks it is tried again elsewhere.",
		},
		{
			id: "failover-priority", verdict: claim.Failed, shows: failover, explains: with(ofTheCalls(), "endpoints-across-gateway", "lb-policy"),
			sentence: "An endpoint has a lower priority, by locality: it is kept for failover and takes no share.",
			remedy:   "Take the locality settings out of the destination rule, or set localityLbSetting.enabled to false in the mesh.",
		},
		{
			id: "subset-on-one-side", verdict: claim.Failed, shows: subsetOnOneSide, explains: with(ofTheCalls(), "lb-policy"),
			sentence: "The caller sends to a subset of helloworld that the other cluster does not define: the gateway there has no filter chain for it.",
			remedy:   "Apply the destination rule with its subsets in every cluster: each gateway makes its filter chains from its own cluster's rules.",
		},
		{
			id: "virtual-service", verdict: claim.Failed, shows: virtualService, explains: with(ofTheCalls(), "lb-policy"),
			sentence: "A virtual service sends helloworld's requests by a rule of its own, or ends them with an injected fault.",
			remedy:   "Remove the virtual service for helloworld, or take its weights for the shares that are wanted.",
		},
		{
			id: "destination-rule", verdict: claim.Failed, shows: destinationRule, explains: with(ofTheCalls(), "lb-policy"),
			sentence: "A destination rule for helloworld changes TLS, how endpoints are chosen, or outlier detection.",
			remedy:   "Remove the destination rule for helloworld, or take the setting out of it.",
		},
		{
			id: "stale-endpoint", verdict: claim.Failed, shows: stale, explains: with(ofTheCalls(), "endpoints-across-gateway", "gateway-backend-healthy"),
			sentence: "The caller or the gateway sends to an address that no pod of helloworld has.",
			remedy:   "Look whether istiod still hears of its cluster's pods and the proxies still hear of istiod (proxies-synced); restart the one that does not.",
		},
		{
			id: "remote-connections-failing", verdict: claim.Failed, shows: connectionsFailing, explains: with(ofTheCalls(), "gateway-reached"),
			sentence: "Connections from the caller to the other cluster failed during the calls, and no surer cause was seen.",
			remedy:   "Each failed attempt was tried again elsewhere, so callers saw 200. Look at the peer's gateway and sidecar, and at what lies between them.",
		},
	}
}
