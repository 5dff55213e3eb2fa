package example

import (
	"encoding/json"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

func proxyEnv(in intent.Intent, c intent.Cluster) map[string]string {
	return map[string]string{"ISTIO_META_MESH_ID": in.MeshID, "ISTIO_META_CLUSTER_ID": c.ID, "ISTIO_META_NETWORK": c.Network,
		"PILOT_CERT_PROVIDER": "istiod", "TRUST_DOMAIN": in.TrustDomain}
}

// istiod is a replica that holds helloworld's pods at these addresses, in both clusters.
func istiod(in intent.Intent, c, peer intent.Cluster, shards ...string) evidence.Istiod {
	return evidence.Istiod{At: Began(), Pod: IstiodPod, Revision: Revision, Pages: map[string]json.RawMessage{
		evidence.PageClusterz: RemoteClusters(evidence.RemoteCluster{ID: c.ID, SyncStatus: "synced"},
			evidence.RemoteCluster{ID: peer.RemoteName, SecretName: "istio-system/istio-remote-secret-" + peer.RemoteName, SyncStatus: "synced"}),
		evidence.PageEndpointShardz: sharedPods(c, peer, shards...),
		evidence.PageNetworkz: page([]object{
			{"Network": c.Network, "Cluster": c.ID, "Addr": Address(c.Name), "Port": 15443},
			{"Network": peer.Network, "Cluster": peer.RemoteName, "Addr": Address(peer.Name), "Port": 15443},
		}),
		evidence.PageMesh:  page(object{"trustDomain": in.TrustDomain, "localityLbSetting": object{"enabled": false}}),
		evidence.PageSyncz: Syncz(c, evidence.ResourceSync{Sent: "n1", Acked: "n1"}),
	}, Metrics: Metrics(1)}
}

// logs are those of the one replica, which was asked for readiness before it was ready.
func logs() []evidence.IstiodLog {
	return []evidence.IstiodLog{{Pod: IstiodPod, Read: 900, Lines: []evidence.LoggedLine{{Level: "warn", Message: "discovery is not ready", Count: 2}}}}
}

// Metrics are those of a replica that manages so many remote clusters.
func Metrics(remote float64) []evidence.Metric {
	return []evidence.Metric{
		{Name: evidence.MetricManaged, Labels: map[string]string{"cluster_type": "local"}, Value: 1},
		{Name: evidence.MetricManaged, Labels: map[string]string{"cluster_type": "remote"}, Value: remote},
		{Name: evidence.MetricSecretEvents, Labels: map[string]string{"event": "add"}, Value: 1},
	}
}

func sharedPods(c, peer intent.Cluster, addresses ...string) json.RawMessage {
	if len(addresses) == 0 {
		return page(object{})
	}
	pods := func(network string) []object {
		return []object{{"Addresses": addresses, "EndpointPort": 5000, "Network": network, "TLSMode": "istio"}}
	}
	return page(object{evidence.HelloworldHost("sample"): object{"sample": object{"Shards": object{
		"Kubernetes/" + c.ID: pods(c.Network), "Kubernetes/" + peer.RemoteName: pods(peer.Network),
	}}}})
}

// Syncz is the body of syncz for the proxies of a cluster, in which sleep's endpoints are in this state.
func Syncz(c intent.Cluster, sleep evidence.ResourceSync) json.RawMessage {
	var all []object
	for _, proxy := range []string{GatewayPod + ".istio-system", AppPod(c) + ".sample", SleepPod + ".sample"} {
		resources := object{}
		for _, kind := range []string{"cluster.v3.Cluster", "listener.v3.Listener", "endpoint.v3.ClusterLoadAssignment", "route.v3.RouteConfiguration"} {
			resources["type.googleapis.com/envoy.config."+kind] = object{"sent": "n0", "acked": "n0"}
		}
		switch proxy {
		case SleepPod + ".sample":
			resources["type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"] = object{"sent": sleep.Sent, "acked": sleep.Acked, "lastError": sleep.Error}
		case GatewayPod + ".istio-system":
			delete(resources, "type.googleapis.com/envoy.config.route.v3.RouteConfiguration")
		}
		all = append(all, object{"cluster_id": c.ID, "proxy": proxy, "istio_version": "1.31-dev", "resources": resources})
	}
	return page(all)
}

// Certs is the body of /certs of an Envoy whose certificate, for this SPIFFE id, was issued at this time for a day, by a
// root of ten years from an hour before.
func Certs(id string, issued time.Time) json.RawMessage {
	from, until := issued.Add(-2*time.Minute), issued.Add(24*time.Hour)
	certificate := func(serial string, from, until time.Time) object {
		return object{"serial_number": serial, "valid_from": from.Format(time.RFC3339), "expiration_time": until.Format(time.RFC3339)}
	}
	leaf := certificate("a1", from, until)
	leaf["subject_alt_names"] = []object{{"uri": id}}
	return page(object{"certificates": []object{{
		"ca_cert":    []object{certificate("c1", issued.Add(-time.Hour), issued.AddDate(10, 0, 0))},
		"cert_chain": []object{leaf},
	}}})
}

// Stats is the body of /stats?format=json of an Envoy that refused so many updates of its listeners.
func Stats(refused int) json.RawMessage {
	return page(object{"stats": []object{
		{"name": evidence.StatClustersRejected, "value": 0}, {"name": evidence.StatListenersRejected, "value": refused}, {"histograms": object{}},
	}})
}

// Routes is the section of a config dump in which helloworld's requests go to these targets.
func Routes(all ...evidence.Target) any {
	action := object{}
	var weighted []object
	for _, t := range all {
		if len(all) == 1 {
			action["cluster"] = t.Cluster
		}
		weighted = append(weighted, object{"name": t.Cluster, "weight": t.Weight})
	}
	if len(all) > 1 {
		action["weighted_clusters"] = object{"clusters": weighted}
	}
	host := evidence.HelloworldHost("sample")
	return object{"@type": admin + "RoutesConfigDump", "dynamic_route_configs": []object{{"route_config": object{
		"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": "5000",
		"virtual_hosts": []object{{"name": host + ":5000", "domains": []string{host, "helloworld.sample"}, "routes": []object{{"match": object{"prefix": "/"}, "route": action}}}},
	}}}}
}
