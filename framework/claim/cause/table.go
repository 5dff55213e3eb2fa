package cause

import (
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
)

// ofOneCluster are the claims that one cluster alone keeps or breaks.
func ofOneCluster() []string {
	return []string{
		"mesh-ids", "one-revision", "sidecars", "gateway-available", "gateway-address", "gateway-listener", "gateway-exposes",
		"gateway-backend-healthy", "sample-removed", "endpoints-withdrawn",
	}
}

// ofTheCalls are the claims about calls from one cluster that another may answer.
func ofTheCalls() []string {
	return []string{"guide-calls", "split-replies", "split-accounted", "split-balanced", "served-by-peer", "crossed-by-gateway"}
}

func with(ids []string, more ...string) []string { return append(ids, more...) }

// table gives every cause, the most certain first.
func table() []row {
	return slices.Concat(environment(), installation(), discovery(), way())
}

// environment are the causes that lie around the mesh.
func environment() []row {
	return []row{
		{
			id: "api-server-unreachable", verdict: claim.Inconclusive, shows: unreachable,
			remedy: "Bring the cluster's API server back (is its node, or the container engine, running?), and run again.",
		},
		{
			id: "image-not-pullable", verdict: claim.Inconclusive, shows: unpullable,
			explains: with(ofTheCalls(), "procedure", "one-revision", "sidecars", "gateway-available", "gateway-listener", "gateway-exposes", "gateway-reached",
				"gateway-backend-healthy", "remote-clusters-synced", "endpoints-across-gateway", "lb-policy", "mesh-ids"),
			remedy: "Make the image available to the nodes (registry, mirror, pull secret, tag), and run again.",
		},
		{
			id: "lb-pool-empty", verdict: claim.Inconclusive, shows: poolEmpty,
			explains: with(ofTheCalls(), "procedure", "gateway-address", "gateway-reached", "endpoints-across-gateway", "lb-policy"),
			remedy:   "Give the load balancer's address pool more addresses, or free some, and run again.",
		},
	}
}

// installation are the causes that lie in how each cluster was set up.
func installation() []row {
	return []row{
		{
			id: "not-injected", verdict: claim.Failed, shows: notInjected,
			explains: with(ofTheCalls(), "procedure", "sidecars", "gateway-available", "gateway-listener", "gateway-exposes", "gateway-reached",
				"gateway-backend-healthy", "endpoints-across-gateway", "lb-policy", "common-root"),
			remedy: "Label the namespace with istio.io/rev of the installed revision, without istio-injection beside it, and make the pods anew.",
		},
		{
			id: "service-missing", verdict: claim.Failed, shows: serviceMissing,
			explains: with(ofTheCalls(), "endpoints-across-gateway", "gateway-exposes", "gateway-backend-healthy", "lb-policy"),
			remedy:   "Create the service helloworld in every cluster (guide, S11): its name is resolved by each cluster's own DNS.",
		},
		{
			id: "same-network", verdict: claim.Failed, shows: sameNetwork,
			explains: with(ofTheCalls(), "mesh-ids", "endpoints-across-gateway"),
			remedy:   "Give each cluster a network name of its own, at the installation of the control plane and in gen-eastwest-gateway.sh --network (finding F1).",
		},
	}
}

// discovery are the causes that lie in what the clusters know and trust of each other.
func discovery() []row {
	return []row{
		{
			id: "remote-secret-missing", verdict: claim.Failed, shows: secretMissing,
			explains: with(ofTheCalls(), "remote-clusters-synced", "endpoints-across-gateway"),
			remedy:   "Enable endpoint discovery again (guide, S8), for the whole set of clusters.",
		},
		{
			id: "remote-cluster-timeout", verdict: claim.Failed, shows: clusterTimeout,
			explains: with(ofTheCalls(), "remote-clusters-synced", "endpoints-across-gateway"),
			remedy: "Look at the server's address and the account in the remote secret: istiod must reach it from its pod (not 127.0.0.1), and must be allowed to list. " +
				"Restart istiod after the secret is mended: it may have stopped taking secrets in.",
		},
		{
			id: "different-roots", verdict: claim.Failed, shows: differentRoots,
			explains: with(ofTheCalls(), "common-root"),
			remedy:   "Put certificates of one common root into the secret cacerts of every cluster, then restart istiod, the gateways and the workloads.",
		},
	}
}

// way are the causes that lie on the way from one cluster to the other.
func way() []row {
	return []row{
		{
			id: "gateway-without-address", verdict: claim.Failed, shows: noAddress,
			explains: with(ofTheCalls(), "gateway-address", "gateway-reached", "endpoints-across-gateway"),
			remedy:   "Make the gateway's service one of type LoadBalancer, and see that a load balancer serves it.",
		},
		{
			id: "gateway-without-listener", verdict: claim.Failed, shows: noListener,
			explains: with(ofTheCalls(), "gateway-listener", "gateway-exposes", "gateway-reached", "gateway-backend-healthy"),
			remedy:   "Expose the services through the gateway (guide, S7): the Gateway's selector must be istio=eastwestgateway, and its port 15443.",
		},
		{
			id: "gateway-unreachable", verdict: claim.Failed, shows: gatewayUnreachable,
			explains: with(ofTheCalls(), "gateway-reached"),
			remedy:   "Let the other cluster's pods through to port 15443 of this address (firewall, routes, load balancer), and see that a gateway pod is ready behind it.",
		},
		{
			id: "remote-connections-failing", verdict: claim.Failed, shows: connectionsFailing,
			explains: ofTheCalls(),
			remedy:   "Each failed attempt was tried again elsewhere, so callers saw 200. Look at the peer's gateway and sidecar, and at what lies between them.",
		},
	}
}
