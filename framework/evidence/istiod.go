package evidence

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/util/protomarshal"
)

// RemoteCluster is one cluster that a control-plane replica watches. Its own cluster is among them, without a secret.
type RemoteCluster struct {
	// ID is the own cluster's id, or the key in the remote secret.
	ID string
	// SecretName is NAMESPACE/NAME; empty for the own cluster.
	SecretName string
	// SyncStatus is istiod's word: synced, syncing, timeout, closed.
	SyncStatus string
}

// Network is one address through which istiod reaches a network. Istiod keeps entries of clusters that are gone: it
// proves no removal.
type Network struct {
	Network, Cluster, Addr string
	Port                   uint32
}

// Mesh is the part of the mesh's configuration that claims read.
type Mesh struct {
	TrustDomain, MeshID string
	// LocalityLB is true unless it is switched off: Istio's default is on.
	LocalityLB bool
}

// Shard is what one cluster contributes to a service's endpoints, as istiod keeps it.
type Shard struct {
	// Cluster is the id of the cluster that the endpoint was found in.
	Cluster string
	Network string
	// Address and Port are the pod's own, also for clusters that are reached through a gateway.
	Address  string
	Port     uint32
	Workload string
	// TLSMode is "istio" for pods with a sidecar.
	TLSMode string
}

func (i Istiod) page(name string, value any) error {
	body, ok := i.Pages[name]
	if !ok || len(body) == 0 {
		return fmt.Errorf("read page %s of istiod %s: %w", name, i.Pod, ErrNotCollected)
	}
	if err := json.Unmarshal(body, value); err != nil {
		return fmt.Errorf("read page %s of istiod %s: %w", name, i.Pod, err)
	}
	return nil
}

// RemoteClusters gives what /debug/clusterz shows, in the order of the ids.
func (i Istiod) RemoteClusters() ([]RemoteCluster, error) {
	var page []cluster.DebugInfo
	if err := i.page(PageClusterz, &page); err != nil {
		return nil, err
	}
	all := make([]RemoteCluster, 0, len(page))
	for _, c := range page {
		all = append(all, RemoteCluster{ID: string(c.ID), SecretName: c.SecretName, SyncStatus: c.SyncStatus})
	}
	slices.SortFunc(all, func(a, b RemoteCluster) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Networks gives what /debug/networkz shows, in the order of networks and addresses.
func (i Istiod) Networks() ([]Network, error) {
	var all []Network
	err := i.page(PageNetworkz, &all)
	slices.SortFunc(all, func(a, b Network) int { return strings.Compare(a.Network+" "+a.Addr, b.Network+" "+b.Addr) })
	return all, err
}

// Mesh gives what /debug/mesh shows.
func (i Istiod) Mesh() (Mesh, error) {
	var raw json.RawMessage
	if err := i.page(PageMesh, &raw); err != nil {
		return Mesh{}, err
	}
	var config meshconfig.MeshConfig
	if err := protomarshal.UnmarshalAllowUnknown(raw, &config); err != nil {
		return Mesh{}, fmt.Errorf("read page %s of istiod %s: %w", PageMesh, i.Pod, err)
	}
	locality := config.GetLocalityLbSetting().GetEnabled()
	return Mesh{
		TrustDomain: config.GetTrustDomain(), MeshID: config.GetDefaultConfig().GetMeshId(),
		LocalityLB: locality == nil || locality.GetValue(),
	}, nil
}

// Shards gives what /debug/endpointShardz shows for one host, in the order of clusters and addresses.
func (i Istiod) Shards(host string) ([]Shard, error) {
	var page map[string]map[string]struct {
		Shards map[string][]struct {
			Addresses    []string
			EndpointPort uint32
			Network      string
			TLSMode      string
			WorkloadName string
		}
	}
	if err := i.page(PageEndpointShardz, &page); err != nil {
		return nil, err
	}
	var all []Shard
	for _, namespace := range page[host] {
		for key, endpoints := range namespace.Shards {
			_, id, _ := strings.Cut(key, "/") // PROVIDER/CLUSTER
			for _, e := range endpoints {
				for _, address := range e.Addresses {
					all = append(all, Shard{Cluster: id, Network: e.Network, Address: address, Port: e.EndpointPort, Workload: e.WorkloadName, TLSMode: e.TLSMode})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Shard) int { return strings.Compare(a.Cluster+" "+a.Address, b.Cluster+" "+b.Address) })
	return all, nil
}
