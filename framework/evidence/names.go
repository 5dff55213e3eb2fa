package evidence

import "path"

// Files of the folder that belong to the run as a whole. All names here are relative to the folder and use "/", so that
// a finding can name its evidence on every machine.
const (
	IntentFile = "intent.json"
	StepsFile  = "steps.json"
	// SumsFile seals the folder: it is written last, in the form that `sha256sum --check` reads.
	SumsFile = "SHA256SUMS"
)

const (
	kubernetesFile = "kubernetes.json"
	dialsFile      = "dials.json"
	problemsFile   = "problems.json"
	istiodPrefix   = "istiod-"
	proxyPrefix    = "proxy-"
	trafficPrefix  = "traffic-"
	suffix         = ".json"
)

// FileOfKubernetes names the file of a cluster's API objects.
func FileOfKubernetes(epoch, cluster string) string { return path.Join(epoch, cluster, kubernetesFile) }

// FileOfIstiod names the file of one control-plane replica.
func FileOfIstiod(epoch, cluster, pod string) string {
	return path.Join(epoch, cluster, istiodPrefix+pod+suffix)
}

// FileOfProxy names the file of one Envoy.
func FileOfProxy(epoch, cluster, namespace, pod string) string {
	return path.Join(epoch, cluster, proxyPrefix+namespace+"-"+pod+suffix)
}

// FileOfDials names the file of the connections that a cluster's probe pod attempted.
func FileOfDials(epoch, cluster string) string { return path.Join(epoch, cluster, dialsFile) }

// FileOfTraffic names the file of one exec of calls; purpose is GuideCalls or Split.
func FileOfTraffic(epoch, cluster, purpose string) string {
	return path.Join(epoch, cluster, trafficPrefix+purpose+suffix)
}

// FileOfProblems names the file of what could not be collected.
func FileOfProblems(epoch, cluster string) string { return path.Join(epoch, cluster, problemsFile) }

// File names the file that a Proxy is kept in.
func (p Proxy) File(epoch, cluster string) string {
	return FileOfProxy(epoch, cluster, p.Namespace, p.Pod)
}

// File names the file that an Istiod is kept in.
func (i Istiod) File(epoch, cluster string) string { return FileOfIstiod(epoch, cluster, i.Pod) }

// Purposes of Traffic.
const (
	GuideCalls = "guide-calls"
	Split      = "split"
	// Second are calls of the suite's own service echo in a namespace of its own.
	Second = "second"
)

// Roles of proxies.
const (
	RoleSleep      = "sleep"
	RoleHelloworld = "helloworld"
	RoleGateway    = "gateway"
)

// Pages of istiod, by the name that Istiod.Pages uses.
const (
	PageClusterz       = "clusterz"
	PageNetworkz       = "networkz"
	PageEndpointShardz = "endpointShardz"
	PageSyncz          = "syncz"
	PageMesh           = "mesh"
)

// InboundCluster is the Envoy cluster through which helloworld's sidecar hands requests to its application.
const InboundCluster = "inbound|5000||"

// GatewayPort is the port of the east-west gateway that passes TLS on by its server name (guide, S7).
const GatewayPort = 15443

// HelloworldHost is the sample service's name in the mesh; namespace is where the sample is (intent.Intent's Namespace).
func HelloworldHost(namespace string) string { return "helloworld." + namespace + ".svc.cluster.local" }

// HelloworldAuthority is how the guide calls it (S14).
func HelloworldAuthority(namespace string) string { return "helloworld." + namespace + ":5000" }

// HelloworldURL is what the guide calls (S14).
func HelloworldURL(namespace string) string {
	return "http://" + HelloworldAuthority(namespace) + "/hello"
}

// OutboundCluster is the Envoy cluster of helloworld in a client's sidecar.
func OutboundCluster(namespace string) string { return "outbound|5000||" + HelloworldHost(namespace) }

// SNICluster is the Envoy cluster of helloworld in an east-west gateway, and the server name that leads to it.
func SNICluster(namespace string) string { return "outbound_.5000_._." + HelloworldHost(namespace) }

// SecondNamespace is that of the suite's own second service (fixtures/second.yaml), SecondHost its name in the mesh,
// SecondOutboundCluster its Envoy cluster in a client's sidecar, and SecondSNICluster the one in an east-west gateway.
const (
	SecondNamespace       = "meshproof-second"
	SecondHost            = "echo." + SecondNamespace + ".svc.cluster.local"
	SecondOutboundCluster = "outbound|8080||" + SecondHost
	SecondSNICluster      = "outbound_.8080_._." + SecondHost
)
