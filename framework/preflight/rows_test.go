package preflight

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
)

// sound are facts in which every row is ok.
func sound() Facts {
	f := Facts{CA: intent.IstioCA, Host: Host{
		Bash: Seen[string]{Value: "5.2.15(1)-release"}, Kubectl: Seen[string]{Value: "v1.36.1"}, Istioctl: Seen[string]{Value: "1.23.2-asm.2"},
		Script: Seen[bool]{Value: true}, Released: true,
	}}
	for i, name := range []string{"east", "west"} {
		f.Clusters = append(f.Clusters, Cluster{
			Name: name, Server: "https://" + name + ".example.com", UID: Seen[string]{Value: "uid-of-" + name}, Answer: Seen[Answer]{Value: Answer{Version: "v1.36.4-gke.1"}},
			Mesh: Seen[Mesh]{Value: Mesh{Network: fmt.Sprintf("network%d", i+1), Version: "1.23.2-asm.2"}}, Root: Seen[string]{Value: "aa"},
			Admission: Seen[Admission]{Value: Admission{Enforced: map[string]string{intent.GuideNamespace: "", probes: "restricted"}}},
			Balancer:  Seen[Balancer]{Value: Balancer{Addressed: []string{"web/front"}}},
		})
	}
	return f
}

// kind are the facts of a machine that can make clusters.
func kind() Facts {
	return Facts{Kind: true, Host: Host{
		Bash: Seen[string]{Value: "5.2"}, Docker: Seen[string]{Value: "/usr/bin/docker"}, Instances: Seen[uint64]{Value: 512},
		Watches: Seen[uint64]{Value: 524288}, Memory: Seen[uint64]{Value: 8 * gib}, Disk: Seen[uint64]{Value: 20 * gib},
	}}
}

func TestSoundFactsAreOK(t *testing.T) {
	for name, f := range map[string]Facts{"given": sound(), "kind": kind()} {
		rows := Rows(f)
		for _, r := range rows {
			if r.Verdict != OK || r.Seen == "" || r.Do != "" {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if ExitCode(rows) != 0 {
			t.Errorf("%s: exit code %d", name, ExitCode(rows))
		}
	}
	if n := len(Rows(sound())); n != 2+2*9+4 {
		t.Errorf("%d rows for two clusters", n)
	}
	f := sound()
	f.ReadOnly, f.Host, f.Clusters[0].Admission = true, Host{}, Seen[Admission]{}
	if rows := Rows(f); len(rows) != 2*5+4 || ExitCode(rows) != 0 {
		t.Errorf("a look at two clusters: %+v", rows)
	}
}

var errNo = errors.New("no such luck")

// TestOneThingAtATime spoils one fact, and sees that its row and no other one says so.
func TestOneThingAtATime(t *testing.T) {
	west := func(spoil func(*Cluster)) func(*Facts) { return func(f *Facts) { spoil(&f.Clusters[1]) } }
	level := func(level string, cni bool) func(*Facts) {
		return west(func(c *Cluster) {
			c.Admission.Value = Admission{Enforced: map[string]string{intent.GuideNamespace: level}, CNI: cni}
		})
	}
	for _, tc := range []struct {
		name, row string
		kind      bool
		spoil     func(*Facts)
		want      Verdict
		says      string
	}{
		{"no bash", "bash", false, func(f *Facts) { f.Host.Bash = Seen[string]{Err: exec.ErrNotFound} }, Failed, "install bash"},
		{"the bash of macOS", "bash", false, func(f *Facts) { f.Host.Bash.Value = "3.2.57(1)-release" }, Failed, "bash 4"},
		{"a bash that hangs", "bash", false, func(f *Facts) { f.Host.Bash.Err = errNo }, Unknown, "no such luck"},
		{"a script that prints nothing", "gen-eastwest-gateway.sh", false, func(f *Facts) { f.Host.Script.Err = errNo }, Failed, "--output_dir"},
		{"refused credentials", "API server", false, west(func(c *Cluster) { c.Answer.Err = fmt.Errorf("x: %w", cluster.ErrAccess) }), Failed, "kubeconfig"},
		{"no answer", "API server", false, west(func(c *Cluster) { c.Answer.Err = errNo }), Unknown, "https://west.example.com"},
		{"loopback", "address for the peer's pods", false, west(func(c *Cluster) { c.Local = true }), Failed, "loopback"},
		{"a proxy", "address for the peer's pods", false, west(func(c *Cluster) { c.Proxied = true }), Unknown, "proxy"},
		{"an old kubectl", "kubectl", false, west(func(c *Cluster) { c.Answer.Value.Version = "v1.38.0" }), Failed, "more than one minor"},
		{"a new kubectl", "kubectl", false, west(func(c *Cluster) { c.Answer.Value.Version = "v1.34.9" }), Failed, "more than one minor"},
		{"one minor off", "", false, west(func(c *Cluster) { c.Answer.Value.Version = "v1.35.0" }), OK, ""},
		{"a server of no version", "kubectl", false, west(func(c *Cluster) { c.Answer.Value.Version = "edge" }), Unknown, "compared"},
		{"no control plane", "control plane", false, west(func(c *Cluster) { c.Mesh.Err = fmt.Errorf("x: %w", preinstalled.ErrUnfit) }), Failed, "install"},
		{"an unread control plane", "control plane", false, west(func(c *Cluster) { c.Mesh.Err = errNo }), Unknown, "no such luck"},
		{"another istioctl", "istioctl", false, west(func(c *Cluster) { c.Mesh.Value.Version = "1.24.0-asm.1" }), Failed, "another version"},
		{"an image without a version", "istioctl", false, west(func(c *Cluster) { c.Mesh.Value.Version = "" }), Unknown, "one release"},
		{"a pending balancer", "load balancer", false, west(func(c *Cluster) { c.Balancer.Value = Balancer{Pending: []string{"web/front"}} }), Failed, "web/front waits"},
		{"a cloud", "load balancer", false, west(func(c *Cluster) { c.Balancer.Value = Balancer{Clouds: []string{"aws"}} }), Unknown, "aws"},
		{"MetalLB", "", false, west(func(c *Cluster) { c.Balancer.Value = Balancer{Pools: true} }), OK, ""},
		{"no hint", "load balancer", false, west(func(c *Cluster) { c.Balancer.Value = Balancer{} }), Unknown, "nothing hints"},
		{"services unseen", "load balancer", false, west(func(c *Cluster) { c.Balancer.Err = errNo }), Unknown, "no such luck"},
		{"one right missing", "permissions", false, west(func(c *Cluster) { c.Denied.Value = []string{"create pods/exec in sample"} }), Failed, "create pods/exec in sample"},
		{"many rights missing", "permissions", false, west(func(c *Cluster) { c.Denied.Value = strings.Split("abcdefgh", "") }), Failed, "and 3 more"},
		{"rights unseen", "permissions", false, west(func(c *Cluster) { c.Denied.Err = errNo }), Unknown, "no such luck"},
		{"restricted", "admission", false, level("restricted", true), Failed, "sample is restricted"},
		{"baseline", "admission", false, level("baseline", false), Failed, "sample is baseline"},
		{"baseline with the plugin", "", false, level("baseline", true), OK, ""},
		{"privileged", "", false, level("privileged", false), OK, ""},
		{"namespaces refused", "admission", false, west(func(c *Cluster) { c.Admission.Err = errNo }), Unknown, "no such luck"},
		{"a clock ahead", "clock", false, func(f *Facts) {
			f.Clusters[0].Answer.Value.Ahead, f.Clusters[1].Answer.Value.Ahead = 119*time.Second, 121*time.Second
		}, Failed, "121 s ahead"},
		{"clocks apart", "clocks", false, func(f *Facts) {
			f.Clusters[0].Answer.Value.Ahead, f.Clusters[1].Answer.Value.Ahead = -61*time.Second, 60*time.Second
		}, Failed, "121 s apart"},
		{"one cluster given twice", "different clusters", false, west(func(c *Cluster) { c.UID.Value, c.Mesh.Value.Network = "uid-of-east", "network1" }), Failed, "east and west are one and the same"},
		{"a cluster that does not say which it is", "different clusters", false, west(func(c *Cluster) { c.UID = Seen[string]{Err: errNo} }), Unknown, "kube-system"},
		{"one network", "networks", false, west(func(c *Cluster) { c.Mesh.Value.Network = "network1" }), Failed, "F1"},
		{"an unknown network", "networks", false, west(func(c *Cluster) { c.Mesh.Value.Network = "" }), Unknown, "west"},
		{"two roots", "common root", false, west(func(c *Cluster) { c.Root.Value = "bb" }), Failed, "west has bb"},
		{"two roots of a fleet's CA", "", false, func(f *Facts) { f.CA, f.Clusters[1].Root.Value = "mesh-ca", "bb" }, OK, ""},
		{"an unread root", "common root", false, west(func(c *Cluster) { c.Root = Seen[string]{Err: errNo} }), Unknown, "no such luck"},
		{"no docker", "docker", true, func(f *Facts) { f.Host.Docker.Err = errNo }, Failed, "scripts/engine"},
		{"few instances", "inotify instances", true, func(f *Facts) { f.Host.Instances.Value = 128 }, Unknown, "fs.inotify.max_user_instances=512"},
		{"few watches", "inotify watches", true, func(f *Facts) { f.Host.Watches.Value = 8192 }, Unknown, "fs.inotify.max_user_watches"},
		{"little memory", "memory", true, func(f *Facts) { f.Host.Memory.Value = 3 * gib }, Failed, "3.0 GiB free"},
		{"a full disk", "disk", true, func(f *Facts) { f.Host.Disk.Value = 4 * gib }, Failed, "--cache-dir"},
		{"an unread disk", "disk", true, func(f *Facts) { f.Host.Disk.Err = errNo }, Unknown, "no such luck"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := sound()
			if tc.kind {
				f = kind()
			}
			tc.spoil(&f)
			var open []Row
			for _, r := range Rows(f) {
				if r.Verdict != OK && r.Name != "clocks" || tc.row == r.Name && r.Name == "clocks" {
					open = append(open, r)
				}
			}
			switch {
			case tc.want == OK && len(open) == 0:
			case len(open) != 1 || open[0].Name != tc.row || open[0].Verdict != tc.want || open[0].Do == "":
				t.Errorf("%+v, want one of %q that is %s", open, tc.row, tc.want)
			case !strings.Contains(open[0].Seen+open[0].Do, tc.says):
				t.Errorf("%+v does not say %q", open[0], tc.says)
			}
		})
	}
}

func TestWithoutAReleaseDirectory(t *testing.T) {
	f := sound()
	f.Host.Released, f.Host.Kubectl = false, Seen[string]{Err: exec.ErrNotFound}
	rows := Rows(f)
	if ExitCode(rows) != exitUnknown {
		t.Errorf("exit code %d", ExitCode(rows))
	}
	if ExitCode(append(rows, failed("a", "b", "c"))) != exitFailed {
		t.Error("a failed row counts more than an unknown one")
	}
}
