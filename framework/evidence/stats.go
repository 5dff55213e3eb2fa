package evidence

import (
	"encoding/json"
	"fmt"
)

// Counters of an Envoy that say whether it refused what istiod sent, and whether it is connected to it (Envoy's statistics
// of cluster manager, listener manager and control plane).
const (
	StatClustersRejected  = "cluster_manager.cds.update_rejected"
	StatListenersRejected = "listener_manager.lds.update_rejected"
)

// Stat gives the value of a counter or gauge of the page of statistics, by its whole name. One that the page does not hold is
// an error: Istio's bootstrap decides which are kept.
func (p Proxy) Stat(name string) (uint64, error) {
	fail := func(err error) (uint64, error) {
		return 0, fmt.Errorf("read statistic %s of proxy %s/%s: %w", name, p.Namespace, p.Pod, err)
	}
	if absent(p.Stats) {
		return fail(ErrNotCollected)
	}
	var page struct {
		Stats []struct {
			Name  string          `json:"name"` // none in the entry that holds all histograms
			Value json.RawMessage `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(p.Stats, &page); err != nil {
		return fail(err)
	}
	for _, s := range page.Stats {
		if s.Name != name {
			continue
		}
		var value uint64
		if err := json.Unmarshal(s.Value, &value); err != nil {
			return fail(err)
		}
		return value, nil
	}
	return fail(fmt.Errorf("the page does not hold it"))
}
