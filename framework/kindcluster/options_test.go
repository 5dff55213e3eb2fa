package kindcluster

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"
)

func TestOptionsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"sound":             {func(*Options) {}, ""},
		"run id":            {func(o *Options) { o.RunID = "A b" }, `run id "A b"`},
		"no clusters":       {func(o *Options) { o.Names = nil }, "0 clusters"},
		"same name":         {func(o *Options) { o.Names = []string{"east", "east"} }, `"east"`},
		"registry's name":   {func(o *Options) { o.Names = []string{"registry"} }, `"registry"`},
		"too long":          {func(o *Options) { o.RunID = strings.Repeat("a", 50) }, "at most 63"},
		"no image":          {func(o *Options) { o.NodeImage = "" }, "node image"},
		"registry, nothing": {func(o *Options) { o.RegistryImage = "r" }, "both or neither"},
		"relative folder":   {func(o *Options) { o.Dir = "x" }, "absolute"},
		"no folder":         {func(o *Options) { o.Dir = "" }, "no folder"},
		"colon":             {func(o *Options) { o.Dir = "/a:b" }, "':'"},
		"no ledger":         {func(o *Options) { o.Ledger = nil }, "ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newRig(t).Options
			c.change(o)
			err := o.validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	read := func(data nodeConfig) v1alpha4.Cluster {
		raw, err := renderConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		var c v1alpha4.Cluster
		if err := yaml.UnmarshalStrict(raw, &c); err != nil {
			t.Fatalf("%v in\n%s", err, raw)
		}
		for _, patch := range c.KubeadmConfigPatches {
			var p map[string]any
			if err := yaml.UnmarshalStrict([]byte(patch), &p); err != nil || p["kind"] == nil {
				t.Errorf("patch: %v in\n%s", err, patch)
			}
		}
		return c
	}
	bare := read(nodeConfig{})
	if bare.Networking.DisableDefaultCNI || len(bare.Nodes) != 1 || len(bare.Nodes[0].ExtraMounts) != 0 {
		t.Errorf("without anything: %+v", bare)
	}
	if bare.Networking.PodSubnet != "10.244.0.0/16" || bare.Networking.ServiceSubnet != "10.96.0.0/16" || bare.Networking.IPFamily != v1alpha4.IPv4Family {
		t.Errorf("networking: %+v", bare.Networking)
	}
	full := read(nodeConfig{NoKindnet: true, RegistryHosts: `/run "x"/certs.d`})
	want := v1alpha4.Mount{HostPath: `/run "x"/certs.d`, ContainerPath: "/etc/containerd/certs.d", Readonly: true}
	if !full.Networking.DisableDefaultCNI || !slices.Equal(full.Nodes[0].ExtraMounts, []v1alpha4.Mount{want}) {
		t.Errorf("with everything: %+v", full)
	}
}

func prefixes(s ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range s {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func TestCandidates(t *testing.T) {
	all := candidates("a", nil)
	if len(all) != 768 {
		t.Fatalf("%d candidates", len(all))
	}
	seen := map[netip.Prefix]bool{}
	for _, p := range all {
		if seen[p] || p.Bits() != 24 || p != p.Masked() || !netip.MustParsePrefix("172.16.0.0/12").Contains(p.Addr()) {
			t.Fatalf("candidate %s", p)
		}
		seen[p] = true
	}
	if candidates("a", nil)[0] != all[0] || candidates("b", nil)[0] == all[0] {
		t.Error("the first one should depend on the run id, and on nothing else")
	}
	taken := prefixes("172.29.0.0/16", "172.30.128.0/17", "172.31.4.7/32", "10.0.0.0/8")
	free := candidates("a", taken)
	if len(free) != 768-256-128-1 || slices.ContainsFunc(free, func(p netip.Prefix) bool { return overlapsAny(p, taken) }) {
		t.Errorf("%d are left of 383", len(free))
	}
	if got := candidates("a", prefixes("172.16.0.0/12")); len(got) != 0 {
		t.Errorf("%d are left of none", len(got))
	}
}

func TestDivide(t *testing.T) {
	subnet := netip.MustParsePrefix("172.29.7.0/24")
	a := divide(subnet, 2)
	got := []string{a.containers.String(), a.gateway.String(), a.registry.String(), a.ranges[0].String(), a.ranges[1].String()}
	want := []string{"172.29.7.0/26", "172.29.7.1", "172.29.7.250", "172.29.7.64-172.29.7.151", "172.29.7.152-172.29.7.239"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for n := 1; n <= maxClusters; n++ {
		last := netip.MustParseAddr("172.29.7.63")
		for _, r := range divide(subnet, n).ranges {
			if !last.Less(r.first) || !r.first.Less(r.last) || !r.last.Less(a.registry) || a.containers.Contains(r.first) {
				t.Errorf("%d clusters: range %s after %s", n, r, last)
			}
			last = r.last
		}
	}
}

func TestRoutes(t *testing.T) {
	table := `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
eth0	00101DAC	00000000	0001	0	0	0	00FFFFFF	0	0	0
wg0	0000640A	00000000	0001	0	0	0	0000FFFF	0	0	0
`
	got := routes(strings.NewReader(table))
	if want := prefixes("172.29.16.0/24", "10.100.0.0/16"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPhases(t *testing.T) {
	var told []string
	l := newPhaseLogger(func(s string) { told = append(told, s) })
	l.V(0).Info("Creating cluster \"x\" ...\n")
	l.V(0).Infof(" • %s  ...\n", "Preparing nodes 📦 ")
	l.V(3).Info(" • lots of detail  ...")
	l.V(0).Infof(" ✓ %s\n", "Preparing nodes 📦 ")
	l.V(0).Info(" • Starting control-plane 🕹️  ...\n")
	l.end()
	want := []string{"preparing nodes", "starting control-plane"}
	var got []string
	for _, p := range l.phases() {
		got = append(got, p.What)
	}
	if !slices.Equal(got, want) || !slices.Equal(told, want) {
		t.Errorf("phases %q, told %q, want %q", got, told, want)
	}
}
