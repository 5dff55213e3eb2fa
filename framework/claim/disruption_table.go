package claim

// disruptions are what is done to a joined mesh, always to CLUSTER_2, or to how CLUSTER_1 sees it. N6 to N17 are the
// numbers of the project's list of negative controls.
func disruptions() []disruption {
	return []disruption{
		{
			id: "identity-denied", claim: "denies-by-identity", guide: verifyBalance,
			sentence: "N6: A policy that denies sleep's identity is kept across the gateway: the other cluster answers sleep with 403, and another account with 200.",
			breaks:   []about{{"split-replies", "1>2"}, {"accepts-mesh-certificate", "1>2"}},
			keeps:    []about{{"gateway-reached", "1>2"}, {"endpoints-across-gateway", "1>2"}}, also: deniedByPeer,
		},
		{
			id: "identity-allowed", claim: "allows-by-identity", guide: verifyBalance,
			sentence: "N6: A policy that allows sleep's identity alone is kept across the gateway: sleep is answered from both clusters, and another account gets 403.",
			keeps:    []about{{"split-replies", "1>2"}, {"split-balanced", "1>2"}, {"accepts-mesh-certificate", "1>2"}}, also: allowedByPeer, afterwards: strangerWelcome,
		},
		{
			id: "service-private", claim: "denies-private-services", guide: exposeServices,
			sentence: "N7: The gateway does not pass on to a service that is not exported.",
			breaks:   []about{{"accepts-mesh-certificate", "1>2"}, {"gateway-exposes", "2"}},
			keeps:    []about{{"gateway-listener", "2"}, {"gateway-reached", "1>2"}},
		},
		{
			id: "mtls-disabled", claim: "denies-plaintext-workloads", guide: exposeServices,
			sentence: "N8: The gateway does not pass on to a workload that has mutual TLS disabled.",
			breaks:   []about{{"accepts-mesh-certificate", "1>2"}, {"gateway-backend-healthy", "2"}},
			keeps:    []about{{"gateway-listener", "2"}, {"gateway-reached", "1>2"}},
		},
		{
			id: "not-injected", claim: "denies-workloads-outside-the-mesh", guide: "S12 and S13 Deploy HelloWorld and Sleep",
			sentence: "N8: A pod without a sidecar is no endpoint for the other cluster.",
			breaks:   []about{{"sidecars", "2"}, {"endpoints-across-gateway", "1>2"}, {"gateway-backend-healthy", "2"}},
			keeps:    []about{{"gateway-reached", "1>2"}, {"split-replies", "1>2"}}, also: answeredByItself,
		},
		{
			id: "gateway-scaled-to-zero", claim: "notices-a-missing-gateway", guide: installGateway,
			sentence: "N9: Without the peer's gateway nothing crosses, whatever codes the calls end with.",
			breaks:   []about{{"gateway-available", "2"}, {"gateway-reached", "1>2"}, {"split-accounted", "1>2"}},
			keeps:    []about{{"remote-clusters-synced", "1"}, {"split-balanced", "2>1"}},
		},
		{
			id: "gateway-unexposed", claim: "notices-missing-exposure", guide: exposeServices,
			sentence: "N9: Without the guide's Gateway object the gateway does not listen, and nothing crosses.",
			breaks:   []about{{"gateway-listener", "2"}, {"gateway-exposes", "2"}, {"gateway-reached", "1>2"}, {"split-accounted", "1>2"}},
			keeps:    []about{{"gateway-available", "2"}, {"split-balanced", "2>1"}},
		},
		{
			id: "remote-secret-deleted", claim: "notices-a-missing-remote-secret", guide: enableDiscovery,
			sentence: "N10: Without its remote secret a cluster answers its own calls, and the other one goes on.",
			breaks:   []about{{"remote-clusters-synced", "1"}, {"endpoints-across-gateway", "1>2"}, {"split-balanced", "1>2"}},
			keeps:    []about{{"remote-clusters-synced", "2"}, {"gateway-reached", "1>2"}, {"endpoints-across-gateway", "2>1"}, {"split-balanced", "2>1"}},
			also:     answeredByItself,
		},
		{
			id: "remote-secret-unreachable", claim: "notices-an-unreachable-cluster", guide: enableDiscovery,
			sentence: "N11: A remote secret for a server that nobody can reach leaves istiod ready, and its cluster to itself.",
			breaks:   []about{{"remote-clusters-synced", "1"}, {"endpoints-across-gateway", "1>2"}, {"split-balanced", "1>2"}},
			keeps:    []about{{"control-plane-available", "1"}, {"remote-clusters-synced", "2"}, {"split-balanced", "2>1"}},
			also:     answeredByItself,
		},
		{
			id: "gateway-service-deleted", claim: "notices-a-gateway-without-address", guide: installGateway,
			sentence: "N12: Without an address of the peer's gateway, raw pod addresses take its place, and they are noticed.",
			breaks:   []about{{"gateway-address", "2"}, {"endpoints-across-gateway", "1>2"}},
			keeps:    []about{{"remote-clusters-synced", "1"}, {"endpoints-across-gateway", "2>1"}}, also: rawAddresses,
		},
		{
			id: "different-roots", claim: "denies-another-root", guide: beforeYouBegin,
			sentence: "N13: Clusters of different roots do not speak with each other.",
			breaks:   []about{{"common-root", "mesh"}, {"accepts-mesh-certificate", "1>2"}, {"split-accounted", "1>2"}, {"split-accounted", "2>1"}},
			keeps:    []about{{"gateway-reached", "1>2"}, {"split-replies", "1>2"}}, also: answeredByItself,
		},
		{
			id: "wrong-revision", claim: "notices-a-wrong-revision-label", guide: "S10 Enable injection",
			sentence: "N14: Pods of a namespace with the label of a revision that is not there get no sidecar, and it is noticed.",
			breaks:   []about{{"namespace-labelled", "2"}, {"sidecars", "2"}},
			keeps:    []about{{"gateway-available", "2"}, {"gateway-reached", "1>2"}},
		},
		{
			id: "same-network", claim: "notices-one-network-name", guide: installGateway,
			sentence: "N15: One network name for both clusters, as the guide's literal text gives it, by-passes the gateways, and it is noticed.",
			breaks:   []about{{"endpoints-across-gateway", "1>2"}, {"network-names", "2"}},
			keeps:    []about{{"gateway-reached", "1>2"}, {"common-root", "mesh"}}, also: rawAddresses,
		},
		{
			id: "service-deleted", claim: "needs-the-service-in-every-cluster", guide: "S11 Create the service",
			sentence: "N17: Where the service is missing its name does not resolve, and only there.",
			breaks:   []about{{"guide-calls", "1>2"}, {"split-replies", "1>2"}},
			keeps:    []about{{"split-replies", "2>1"}, {"gateway-reached", "1>2"}}, also: unresolved,
		},
	}
}
