package intent

import (
	"strings"
	"testing"
)

func sound() Intent {
	return Intent{
		RunID: "1015-ab12", Mode: Corrected, Provision: Kind, Fleet: "fleet", ProjectNumber: "123", MeshID: MeshID("123"),
		Revision: "asm-1232-2", GuideCalls: 20, Samples: 600, Alpha: 1e-8,
		Clusters: []Cluster{
			{Name: "east", ID: ClusterID("fleet", "east"), Network: "network1", Version: "v1"},
			{Name: "west", ID: ClusterID("fleet", "west"), Network: "network2", Version: "v2"},
		},
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*Intent)
		want  string // "" = accepted
	}{
		{"sound", func(*Intent) {}, ""},
		{"literal with one network is the guide's text", func(i *Intent) {
			i.Mode = Literal
			i.Clusters[0].Network, i.Clusters[1].Network = "default", "default"
		}, ""},
		{"corrected with one network", func(i *Intent) { i.Clusters[1].Network = "network1" }, "F1"},
		{"three clusters", func(i *Intent) { i.Clusters = append(i.Clusters, Cluster{Name: "north", Network: "n3"}) }, ""},
		{"three clusters, two on one network", func(i *Intent) { i.Clusters = append(i.Clusters, Cluster{Name: "north", Network: "network2"}) }, "west and north are both"},
		{"one cluster", func(i *Intent) { i.Clusters = i.Clusters[:1] }, "give 2 or more"},
		{"one name twice", func(i *Intent) { i.Clusters[1].Name = "east" }, "used twice"},
		{"one name in the remote secrets twice", func(i *Intent) { i.Clusters[0].RemoteName, i.Clusters[1].RemoteName = "ctx", "ctx" }, "east and west are both \"ctx\""},
		{"project number with letters", func(i *Intent) { i.ProjectNumber = "12a" }, "project number"},
		{"too few samples", func(i *Intent) { i.Samples = 27 }, "samples 27"},
		{"rate of zero", func(i *Intent) { i.Alpha = 0 }, "alpha"},
		{"run id with a capital", func(i *Intent) { i.RunID = "Run" }, "run id"},
		{"unknown mode", func(i *Intent) { i.Mode = "loose" }, "mode"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			i := sound()
			tc.spoil(&i)
			err := i.Validate()
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want one that says %q", err, tc.want)
			}
		})
	}
}

func TestPeers(t *testing.T) {
	if p := sound().Peers("east"); len(p) != 1 || p[0].Name != "west" {
		t.Errorf("peers of east: %v, want west alone", p)
	}
}
