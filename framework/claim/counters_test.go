package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// TestGrownAddsUpTheHostsOfOneAddress has the counters of a real mesh whose sidecar listed helloworld's address twice:
// two worker threads had made the host at the same moment.
func TestGrownAddsUpTheHostsOfOneAddress(t *testing.T) {
	host := func(requests int64) evidence.Counters {
		return evidence.Counters{Pod: "helloworld-v2-1", Address: "10.244.0.9:5000", RqTotal: requests}
	}
	got, changed := grown([]evidence.Counters{host(13), host(1)}, []evidence.Counters{host(634), host(1)}, true)
	if changed != "" || len(got) != 1 || got[0].requests != 621 {
		t.Errorf("growth %+v, %q; want 621 requests of one host", got, changed)
	}
	if _, changed := grown([]evidence.Counters{host(13), host(1)}, []evidence.Counters{host(3)}, true); changed == "" {
		t.Error("counters that fell were taken")
	}
}
