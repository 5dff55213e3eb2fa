package evidence

import (
	"encoding/json"
	"testing"
)

func recorded(t *testing.T, name string) json.RawMessage {
	t.Helper()
	return page(t, "recorded/"+name+".json")
}

const (
	eastGateway, westGateway = "172.31.10.64", "172.31.10.152"
	eastID, westKey          = "cn-fleet-global-east", "kind-mp-cw1-west"
	pod                      = "10.244.0.8" // of v1 in east and of v2 in west: the pod networks are the same
)

func TestRecordedSleep(t *testing.T) {
	p := Proxy{
		Role: RoleSleep, Clusters: recorded(t, "healthy-east-sleep-clusters"), ConfigDump: recorded(t, "healthy-east-sleep-config"),
		Certs: recorded(t, "healthy-east-sleep-certs"),
	}
	out := OutboundCluster("sample")
	local := Endpoint{Address: pod, Port: 5000, Health: "HEALTHY", Weight: 1, ClusterID: eastID}
	remote := Endpoint{Address: westGateway, Port: GatewayPort, Health: "HEALTHY", Weight: 1, ClusterID: westKey}
	endpoints, err := p.Endpoints(out)
	must(t, err)
	same(t, "endpoints", endpoints, []Endpoint{local, remote})

	hosts, err := p.Hosts(out)
	must(t, err)
	if len(hosts) != 2 {
		t.Fatalf("hosts %+v", hosts)
	}
	for i, address := range []string{pod + ":5000", westGateway + ":15443"} {
		h := hosts[i]
		if h.Address != address || !h.Healthy || h.Weight != 1 || h.RqTotal == 0 || h.RqTotal != h.RqSuccess || h.CxActive == 0 || h.RqError+h.CxConnectFail != 0 {
			t.Errorf("host %d: %+v", i, h)
		}
	}
	policy, err := p.Policy(out)
	must(t, err)
	same(t, "policy", policy, Policy{LB: "LEAST_REQUEST", SNI: SNICluster("sample"), ALPN: []string{"istio"}, SANs: []string{"spiffe://cluster.local/ns/sample/sa/default"}})

	certs, err := p.Certificates()
	must(t, err)
	if len(certs) != 1 || len(certs[0].URIs) != 1 || certs[0].URIs[0] != "spiffe://cluster.local/ns/sample/sa/sleep" || len(certs[0].RootSerials) != 1 || !certs[0].NotAfter.After(certs[0].NotBefore) {
		t.Errorf("certificates %+v", certs)
	}
}

// A pod that is not ready counts for the weight of its network's gateway, and the endpoint is healthy all the same: only
// the gateway itself knows.
func TestRecordedUnreadyRemotePod(t *testing.T) {
	sleep := Proxy{ConfigDump: recorded(t, "unready-east-sleep-config")}
	endpoints, err := sleep.Endpoints(OutboundCluster("sample"))
	must(t, err)
	same(t, "endpoints", endpoints, []Endpoint{
		{Address: pod, Port: 5000, Health: "HEALTHY", Weight: 1, ClusterID: eastID},
		{Address: westGateway, Port: GatewayPort, Health: "HEALTHY", Weight: 2, ClusterID: westKey},
	})
	gateway := Proxy{Clusters: recorded(t, "unready-west-gateway-clusters")}
	hosts, err := gateway.Hosts(SNICluster("sample"))
	must(t, err)
	if len(hosts) != 2 || hosts[0].Healthy || !hosts[0].FailedEDSHealth || !hosts[1].Healthy || hosts[1].FailedEDSHealth {
		t.Errorf("hosts %+v: want the first, of the pod that is not ready, unhealthy", hosts)
	}
}

func TestRecordedGateway(t *testing.T) {
	p := Proxy{Clusters: recorded(t, "healthy-east-gateway-clusters"), ConfigDump: recorded(t, "healthy-east-gateway-config")}
	listens, err := p.Listens(GatewayPort)
	must(t, err)
	other, err := p.Listens(15012)
	must(t, err)
	if !listens || other {
		t.Errorf("listens on 15443 %t, on 15012 %t", listens, other)
	}
	names, err := p.SNIs(GatewayPort)
	must(t, err)
	same(t, "server names", names, []string{SNICluster("sample"), "outbound_.80_._.sleep.sample.svc.cluster.local"})
	hosts, err := p.Hosts(SNICluster("sample"))
	must(t, err)
	if len(hosts) != 1 || hosts[0].Address != pod+":5000" || !hosts[0].Healthy {
		t.Errorf("hosts %+v", hosts)
	}
}

func TestRecordedHelloworld(t *testing.T) {
	p := Proxy{Clusters: recorded(t, "healthy-east-helloworld-clusters")}
	hosts, err := p.Hosts(InboundCluster)
	must(t, err)
	if len(hosts) != 1 || hosts[0].RqTotal == 0 || hosts[0].RqTotal != hosts[0].RqSuccess {
		t.Errorf("hosts %+v", hosts)
	}
}

func TestRecordedIstiod(t *testing.T) {
	i := Istiod{Pages: map[string]json.RawMessage{}}
	for _, name := range []string{PageClusterz, PageNetworkz, PageEndpointShardz, PageMesh} {
		i.Pages[name] = recorded(t, "healthy-east-istiod-"+name)
	}
	remote, err := i.RemoteClusters()
	must(t, err)
	same(t, "remote clusters", remote, []RemoteCluster{{eastID, "", "synced"}, {westKey, "istio-system/istio-remote-secret-" + westKey, "synced"}})
	shards, err := i.Shards(HelloworldHost("sample"))
	must(t, err)
	same(t, "shards", shards, []Shard{{eastID, "network1", pod, 5000, "helloworld-v1", "istio"}, {westKey, "network2", pod, 5000, "helloworld-v2", "istio"}})
	mesh, err := i.Mesh()
	must(t, err)
	same(t, "mesh", mesh, Mesh{TrustDomain: "cluster.local", MeshID: "proj-123456789012"})
	networks, err := i.Networks()
	must(t, err)
	if len(networks) != 2 || networks[0].Port != GatewayPort || networks[0].Addr != eastGateway || networks[1].Addr != westGateway {
		t.Errorf("networks %+v", networks)
	}
}

func TestRecordedStats(t *testing.T) {
	p := Proxy{Namespace: "sample", Pod: "sleep-1", Stats: recorded(t, "healthy-east-sleep-stats")}
	for _, name := range []string{StatClustersRejected, StatListenersRejected} {
		refused, err := p.Stat(name)
		must(t, err)
		same(t, name, refused, uint64(0))
	}
	warmed, err := p.Stat("listener_manager.lds.update_success")
	must(t, err)
	if warmed == 0 {
		t.Error("no update of listeners was counted")
	}
	for _, broken := range []Proxy{{}, {Stats: json.RawMessage("[")}, {Stats: json.RawMessage(`{"stats":[]}`)}, {Stats: json.RawMessage(`{"stats":[{"name":"cluster_manager.cds.update_rejected","value":"x"}]}`)}} {
		if _, err := broken.Stat(StatClustersRejected); err == nil {
			t.Errorf("no error for %s", broken.Stats)
		}
	}
}
