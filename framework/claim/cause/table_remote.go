package cause

import "github.com/meshproof/meshproof/framework/claim"

// discovery are the causes that lie in what the clusters know of each other. All are the mesh's own: an API server that is
// down comes before them, among those of the environment.
func discovery() []row {
	const restart = " Restart istiod afterwards: it may have stopped taking secrets in."
	return []row{
		{
			id: "secret-controller-wedged", verdict: claim.Failed, shows: wedged, explains: ofTheSecrets(),
			remedy: "Restart istiod with the good remote secret in place; it takes no secret in until then.",
		},
		{
			id: "remote-secret-missing", verdict: claim.Failed, shows: secretMissing, explains: ofTheSecrets(),
			remedy: "Enable endpoint discovery again (guide, S8), for the whole set of clusters.",
		},
		{
			id: "remote-secret-foreign", verdict: claim.Failed, shows: foreignSecret,
			explains: []string{"remote-clusters-synced", "remote-secrets", "remote-cluster-metrics"},
			remedy:   "Remove the remote secret of the cluster that is not of this mesh.",
		},
		{
			id: "remote-secret-unreadable", verdict: claim.Failed, shows: unreadable, explains: ofTheSecrets(),
			remedy: "Make the remote secret anew (guide, S8): it holds one kubeconfig, under the name of the cluster." + restart,
		},
		{
			id: "remote-secret-loopback", verdict: claim.Failed, shows: loopback, explains: ofTheSecrets(),
			remedy: "Make the remote secret anew from a kubeconfig whose server can be reached from the other cluster's pods (istioctl create-remote-secret --server)." + restart,
		},
		{
			id: "remote-secret-no-permission", verdict: claim.Failed, shows: forbidden, explains: ofTheSecrets(),
			remedy: "Make the remote secret anew with a token of istio-reader-service-account, and see that its cluster roles are bound." + restart,
		},
		{
			id: "remote-secret-wrong-address", verdict: claim.Failed, shows: elsewhere, explains: ofTheSecrets(),
			remedy: "Make the remote secret anew with the address at which the other cluster's API server is found from this one (istioctl create-remote-secret --server)." + restart,
		},
		{
			id: "remote-secret-untrusted", verdict: claim.Failed, shows: untrusted, explains: ofTheSecrets(),
			remedy: "Make the remote secret anew: its certificate authority is not the one of the API server that answers there, or a proxy answers in its place." + restart,
		},
		{
			id: "remote-secret-unreachable", verdict: claim.Failed, shows: unreached, explains: ofTheSecrets(),
			remedy: "Let istiod's pods through to the API server's address and port (routes, firewall, authorized networks)." + restart,
		},
		{
			id: "remote-cluster-timeout", verdict: claim.Failed, shows: clusterTimeout, explains: ofTheSecrets(),
			remedy: "Look at the server's address and the account in the remote secret: istiod must reach it from its pod (not 127.0.0.1), and must be allowed to list." + restart,
		},
	}
}

// gateways are the causes that lie on the way from one cluster to the other. Packets that are dropped between the clusters
// make a mesh fail too: it was seen not to work, whoever's network it is.
func gateways() []row {
	return []row{
		{
			id: "gateway-without-address", verdict: claim.Failed, shows: noAddress,
			explains: with(ofTheCalls(), "gateway-address", "gateway-reached", "gateways-known", "endpoints-across-gateway"),
			remedy:   "Make the gateway's service one of type LoadBalancer, and see that a load balancer serves it.",
		},
		{
			id: "gateway-not-running", verdict: claim.Failed, shows: notRunning,
			explains: with(ofTheGateway(), "mesh-ids", "network-names", "gateway-available", "cert-provider", "gateway-exposure", "endpoints-withdrawn"),
			remedy:   "Bring a pod of the gateway to readiness (is its deployment scaled to nothing?): its address and the endpoints stay without one, and calls are lost in silence.",
		},
		{
			id: "gateway-wrong-mode", verdict: claim.Failed, shows: wrongMode, explains: ofTheGateway(),
			remedy: "Expose the services as the guide does (S7): port 15443 with TLS mode AUTO_PASSTHROUGH, which passes connections on by their server name.",
		},
		{
			id: "gateway-without-listener", verdict: claim.Failed, shows: noListener, explains: ofTheGateway(),
			remedy: "Expose the services through the gateway (guide, S7): the Gateway's selector must be istio=eastwestgateway, and its port 15443.",
		},
		{
			id: "gateway-wrong-address", verdict: claim.Failed, shows: wrongAddress,
			explains: with(ofTheCalls(), "endpoints-across-gateway", "gateways-known"),
			remedy:   "Restart istiod in the calling cluster: it keeps an address that a gateway had, or never saw the one that it has.",
		},
		{
			id: "packets-dropped", verdict: claim.Failed, shows: dropped, explains: with(ofTheCalls(), "gateway-reached"),
			remedy: "Let packets through between the clusters' nodes to port 15443 of this address, and back (firewall, security group, network policy, MTU).",
		},
		{
			id: "gateway-unreachable", verdict: claim.Failed, shows: gatewayUnreachable, explains: with(ofTheCalls(), "gateway-reached"),
			remedy: "Let the other cluster's pods through to port 15443 of this address (firewall, routes, load balancer), and see that a gateway pod is ready behind it.",
		},
		{
			id: "control-plane-exposed", verdict: claim.Failed, shows: controlPlaneOpen, explains: []string{"gateway-exposure"},
			remedy: "Remove the Gateway object that opens istiod's ports, or restrict the sources of the gateway's service.",
		},
	}
}
