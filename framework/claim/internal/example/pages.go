package example

import (
	"encoding/json"
	"strconv"

	"github.com/meshproof/meshproof/framework/evidence"
)

type object map[string]any

func page(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // every value here is made of strings, numbers and maps
	}
	return text
}

func socket(host string, port uint32) object {
	return object{"socket_address": object{"address": host, "port_value": port}}
}

// Clusters is the body of /clusters?format=json that holds these hosts, in the form in which Envoy leaves out zeros.
func Clusters(hosts ...evidence.Counters) json.RawMessage {
	byName := map[string][]object{}
	order := []string{"xds-grpc"} // every Envoy has it
	for _, h := range hosts {
		if _, again := byName[h.Cluster]; !again {
			order = append(order, h.Cluster)
		}
		health := "HEALTHY"
		if !h.Healthy {
			health = "UNHEALTHY"
		}
		ip, port := split(h.Address)
		var stats []object
		for _, c := range []struct {
			name  string
			value int64
		}{{"cx_active", h.CxActive}, {"cx_connect_fail", h.CxConnectFail}, {"cx_total", h.CxTotal}, {"rq_error", h.RqError}, {"rq_success", h.RqSuccess}, {"rq_total", h.RqTotal}} {
			stat := object{"name": c.name}
			if c.value != 0 {
				stat["value"] = strconv.FormatInt(c.value, 10)
			}
			stats = append(stats, stat)
		}
		byName[h.Cluster] = append(byName[h.Cluster], object{"address": socket(ip, port), "stats": stats, "weight": h.Weight,
			"priority": h.Priority, "health_status": object{"eds_health_status": health, "failed_outlier_check": h.Ejected}})
	}
	var all []object
	for _, name := range order {
		all = append(all, object{"name": name, "host_statuses": byName[name]})
	}
	return page(object{"cluster_statuses": all})
}

// Endpoints is the section of a config dump that holds these endpoints of one Envoy cluster.
func Endpoints(cluster string, endpoints ...evidence.Endpoint) any {
	return assignments(assignment(cluster, endpoints))
}

// assignments is the section of all clusters' endpoints: Envoy has one.
func assignments(all ...object) any {
	return object{"@type": admin + "EndpointsConfigDump", "dynamic_endpoint_configs": all}
}

func assignment(cluster string, endpoints []evidence.Endpoint) object {
	var groups []object
	for _, e := range endpoints {
		groups = append(groups, object{"priority": e.Priority, "lb_endpoints": []object{{
			"endpoint":              object{"address": socket(e.Address, e.Port)},
			"health_status":         e.Health,
			"load_balancing_weight": e.Weight,
			"metadata":              object{"filter_metadata": object{"istio": object{"workload": ";;;;" + e.ClusterID}}},
		}}})
	}
	return object{"endpoint_config": object{
		"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "cluster_name": cluster, "endpoints": groups,
	}}
}

const admin = "type.googleapis.com/envoy.admin.v3."

// Policy is the section of a config dump that holds one Envoy cluster with this policy.
func Policy(cluster string, p evidence.Policy) any {
	c := object{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": cluster, "type": "EDS", "lb_policy": p.LB}
	if p.Outlier {
		c["outlier_detection"] = object{"consecutive_5xx": 3}
	}
	if p.LocalityWeighted {
		c["common_lb_config"] = object{"locality_weighted_lb_config": object{}}
	}
	return object{"@type": admin + "ClustersConfigDump", "dynamic_active_clusters": []object{{"cluster": c}}}
}

// Listener is the section of a config dump that holds one listener on a port, with a filter chain for each server name.
func Listener(port uint32, names ...string) any {
	var chains []object
	for _, n := range names {
		chains = append(chains, object{"filter_chain_match": object{"server_names": []string{n}}})
	}
	return object{"@type": admin + "ListenersConfigDump", "dynamic_listeners": []object{{"name": "l", "active_state": object{"listener": object{
		"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "l", "address": socket("0.0.0.0", port), "filter_chains": chains,
	}}}}}
}

// Dump is a config dump of these sections.
func Dump(sections ...any) json.RawMessage { return page(object{"configs": sections}) }

// RemoteClusters is the body of clusterz.
func RemoteClusters(all ...evidence.RemoteCluster) json.RawMessage {
	var list []object
	for _, c := range all {
		list = append(list, object{"id": c.ID, "secretName": c.SecretName, "syncStatus": c.SyncStatus})
	}
	return page(list)
}

// Shards is the body of endpointShardz for one host; no address means that the host is gone.
func Shards(host, cluster string, addresses ...string) json.RawMessage {
	if len(addresses) == 0 {
		return page(object{})
	}
	return page(object{host: object{"sample": object{"Shards": object{"Kubernetes/" + cluster: []object{{"Addresses": addresses, "EndpointPort": 5000}}}}}})
}
