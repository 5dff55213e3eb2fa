package cause

import (
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
)

// discovery are the causes that lie in what the clusters know of each other. All are the mesh's own: an API server that is
// down comes before them, among those of the environment.
func discovery() []row { return slices.Concat(secretsHeld(), secretsUsed()) }

const restart = " Restart istiod afterwards: it may have stopped taking secrets in."

// secretsHeld are the causes that lie in which remote secrets a cluster has.
func secretsHeld() []row {
	return []row{
		{
			id: "secret-controller-wedged", verdict: claim.Failed, shows: wedged, explains: ofTheSecrets(),
			sentence: "istiod no longer lists a cluster and still holds what is of it: its controller of remote secrets is stuck.",
			remedy:   "Restart istiod with the good remote secret in place; it takes no secret in until then.",
		},
		{
			id: "remote-secret-missing", verdict: claim.Failed, shows: secretMissing, explains: ofTheSecrets(),
			sentence: "A cluster has no remote secret for another one.",
			remedy:   "Enable endpoint discovery again (guide, S8), for the whole set of clusters.",
		},
		{
			id: "remote-secret-foreign", verdict: claim.Failed, shows: foreignSecret,
			sentence: "A cluster holds a remote secret for a cluster that is not of this mesh.",
			explains: []string{"remote-clusters-synced", "remote-secrets", "remote-cluster-metrics"},
			remedy:   "Remove the remote secret of the cluster that is not of this mesh.",
		},
	}
}

// secretsUsed are the causes that lie in what istiod can make of a remote secret.
func secretsUsed() []row {
	return []row{
		{
			id: "remote-secret-unreadable", verdict: claim.Failed, shows: unreadable, explains: ofTheSecrets(),
			sentence: "istiod cannot use a remote secret: its kubeconfig cannot be read, or stands under another name than the cluster's.",
			remedy:   "Make the remote secret anew (guide, S8): it holds one kubeconfig, under the name of the cluster." + restart,
		},
		{
			id: "remote-secret-loopback", verdict: claim.Failed, shows: loopback, explains: ofTheSecrets(),
			sentence: "A remote secret points at a loopback address, which in istiod's pod is the pod itself.",
			remedy:   "Make the remote secret anew from a kubeconfig whose server can be reached from the other cluster's pods (istioctl create-remote-secret --server)." + restart,
		},
		{
			id: "remote-secret-no-permission", verdict: claim.Failed, shows: forbidden, explains: ofTheSecrets(),
			sentence: "The account in a remote secret may not read in the other cluster, or its token is not taken there.",
			remedy:   "Make the remote secret anew with a token of istio-reader-service-account, and see that its cluster roles are bound." + restart,
		},
		{
			id: "remote-secret-wrong-address", verdict: claim.Failed, shows: elsewhere, explains: ofTheSecrets(),
			sentence: "A remote secret points at another address than that of the other cluster's API server.",
			remedy:   "Make the remote secret anew with the address at which the other cluster's API server is found from this one (istioctl create-remote-secret --server)." + restart,
		},
		{
			id: "remote-secret-untrusted", verdict: claim.Failed, shows: untrusted, explains: ofTheSecrets(),
			sentence: "istiod does not trust the certificate that answers at the address in a remote secret.",
			remedy:   "Make the remote secret anew: its certificate authority is not the one of the API server that answers there, or a proxy answers in its place." + restart,
		},
		{
			id: "remote-secret-unreachable", verdict: claim.Failed, shows: unreached, explains: ofTheSecrets(),
			sentence: "istiod cannot reach the other cluster's API server, which answers from outside.",
			remedy:   "Let istiod's pods through to the API server's address and port (routes, firewall, authorized networks)." + restart,
		},
		{
			id: "remote-cluster-timeout", verdict: claim.Failed, shows: clusterTimeout, explains: ofTheSecrets(),
			sentence: "istiod could not read another cluster in time, and says nothing more of it.",
			remedy:   "Look at the server's address and the account in the remote secret: istiod must reach it from its pod (not 127.0.0.1), and must be allowed to list." + restart,
		},
	}
}

// gateways are the causes that lie on the way from one cluster to the other. Packets that are dropped between the clusters
// make a mesh fail too: it was seen not to work, whoever's network it is.
func gateways() []row {
	return []row{
		{
			id: "gateway-without-address", verdict: claim.Failed, shows: noAddress,
			sentence: "A gateway's service has no address.",
			explains: with(ofTheCalls(), "gateway-address", "gateway-reached", "gateways-known", "endpoints-across-gateway"),
			remedy:   "Make the gateway's service one of type LoadBalancer, and see that a load balancer serves it.",
		},
		{
			id: "gateway-not-running", verdict: claim.Failed, shows: notRunning,
			sentence: "No pod of a gateway is ready.",
			explains: with(ofTheGateway(), "mesh-ids", "network-names", "gateway-available", "cert-provider", "gateway-exposure", "endpoints-withdrawn"),
			remedy:   "Bring a pod of the gateway to readiness (is its deployment scaled to nothing?): its address and the endpoints stay without one, and calls are lost in silence.",
		},
		{
			id: "gateway-wrong-mode", verdict: claim.Failed, shows: wrongMode, explains: ofTheGateway(),
			sentence: "A gateway serves port 15443 with another TLS mode than AUTO_PASSTHROUGH.",
			remedy:   "Expose the services as the guide does (S7): port 15443 with TLS mode AUTO_PASSTHROUGH, which passes connections on by their server name.",
		},
		{
			id: "gateway-without-listener", verdict: claim.Failed, shows: noListener, explains: ofTheGateway(),
			sentence: "A gateway does not listen on port 15443.",
			remedy:   "Expose the services through the gateway (guide, S7): the Gateway's selector must be istio=eastwestgateway, and its port 15443.",
		},
		{
			id: "gateway-wrong-address", verdict: claim.Failed, shows: wrongAddress,
			sentence: "The caller holds another address for a cluster than that of the gateway there, or a raw pod address.",
			explains: with(ofTheCalls(), "endpoints-across-gateway", "gateways-known"),
			remedy:   "Restart istiod in the calling cluster: it keeps an address that a gateway had, or never saw the one that it has.",
		},
		{
			id: "packets-dropped", verdict: claim.Failed, shows: dropped, explains: with(ofTheCalls(), "gateway-reached"),
			sentence: "Packets to the other cluster's gateway are dropped: connections get no answer of any kind.",
			remedy:   "Let packets through between the clusters' nodes to port 15443 of this address, and back (firewall, security group, network policy, MTU).",
		},
		{
			id: "gateway-unreachable", verdict: claim.Failed, shows: gatewayUnreachable, explains: with(ofTheCalls(), "gateway-reached"),
			sentence: "The other cluster's gateway cannot be reached at an address of its own: connections are refused, or have no route.",
			remedy:   "Let the other cluster's pods through to port 15443 of this address (firewall, routes, load balancer), and see that a gateway pod is ready behind it.",
		},
		{
			id: "control-plane-exposed", verdict: claim.Failed, shows: controlPlaneOpen, explains: []string{"gateway-exposure"},
			sentence: "A Gateway object opens a port of istiod on the east-west gateway.",
			remedy:   "Remove the Gateway object that opens istiod's ports, or restrict the sources of the gateway's service.",
		},
	}
}
