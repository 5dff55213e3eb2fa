package preflight

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/mesh/istio"
	"github.com/meshproof/meshproof/framework/mesh/preinstalled"
)

// sound are facts in which every row is ok.
func sound() Facts {
	f := Facts{CA: intent.IstioCA, Platform: "attached-eks", Host: Host{
		Bash: Seen[string]{Value: "5.2.15(1)-release"}, Kubectl: Seen[string]{Value: "v1.36.1"}, Istioctl: Seen[string]{Value: "1.23.2-asm.2"},
		Script: Seen[bool]{Value: true}, Released: true,
	}}
	for i, name := range []string{"east", "west"} {
		f.Clusters = append(f.Clusters, Cluster{
			Name: name, Server: "https://" + name + ".example.com", Context: name, UID: Seen[string]{Value: "uid-of-" + name}, Answer: Seen[Answer]{Value: Answer{Version: "v1.36.4-gke.1"}},
			Mesh: Seen[Mesh]{Value: Mesh{Network: fmt.Sprintf("network%d", i+1), Version: "1.23.2-asm.2"}}, Root: Seen[string]{Value: "aa"},
			Admission: Seen[Admission]{Value: Admission{Enforced: map[string]string{intent.GuideNamespace: "", probes: "restricted"}}},
			Balancer:  Seen[Balancer]{Value: Balancer{Addressed: []string{"web/front"}}},
			Pulls: Seen[Pulls]{Value: Pulls{Wanted: []string{"e.com/proxyv2:1", "e.com/probe:1"}, Samples: true, Proxy: "e.com/proxyv2:1", There: []string{"e.com/proxyv2:1"},
				Asked: []images.Asked{{Ref: "e.com/probe:1"}}}},
			Ports: Seen[Ports]{Value: Ports{Services: []Opened{{"web/front", []int32{15021}}}}},
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
	if n := len(Rows(sound())); n != 2+2*13+5 {
		t.Errorf("%d rows for two clusters", n)
	}
	f := sound()
	f.Asked.ReadOnly, f.Host, f.Clusters[0].Admission = true, Host{}, Seen[Admission]{}
	if rows := Rows(f); len(rows) != 2*6+5 || ExitCode(rows) != 0 {
		t.Errorf("a look at two clusters: %+v", rows)
	}
}

// TestAnInstallationLooksForNoMesh: what a mesh must have is no matter where there is none yet; that there is one is.
func TestAnInstallationLooksForNoMesh(t *testing.T) {
	for want, vacant := range map[Verdict]error{OK: nil, Failed: fmt.Errorf("%w: Namespace istio-system", istio.ErrThere), Unknown: errNo} {
		f := sound()
		f.Asked.From = intent.FromInstall
		for i := range f.Clusters {
			c := &f.Clusters[i]
			c.Mesh, c.Root, c.Secrets, c.Vacant = Seen[Mesh]{Err: errNo}, Seen[string]{Err: errNo}, Seen[Secrets]{Err: errNo}, vacant
		}
		rows := Rows(f)
		for _, r := range rows {
			if r.Name != "control plane" && r.Verdict != OK || r.Name == "control plane" && r.Verdict != want {
				t.Errorf("%s: %+v", want, r)
			}
		}
		if n := len(rows); n != 2+2*11+3 {
			t.Errorf("%d rows for two clusters", n)
		}
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
	opens := func(name string, ports ...int32) func(*Facts) {
		return west(func(c *Cluster) { c.Ports.Value.Gateways = []Opened{{name, ports}} })
	}
	system := func(level string) func(*Facts) {
		return west(func(c *Cluster) { c.Admission.Value = Admission{Enforced: map[string]string{"istio-system": level}} })
	}
	pulling := func(spoil func(*Pulls)) func(*Facts) { return west(func(c *Cluster) { spoil(&c.Pulls.Value) }) }
	said := func(err error) func(*Facts) {
		return pulling(func(p *Pulls) { p.Asked = []images.Asked{{Ref: "e.com/probe:1", Err: err}} })
	}
	asked := func(err error) func(*Facts) {
		return func(f *Facts) {
			f.Host.Images = &Seen[[]images.Asked]{Value: []images.Asked{{Ref: "e.com/node:1"}, {Ref: "e.com/probe:1", Err: err}}}
		}
	}
	asmcli := func(spoil func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			f.Host.Asmcli = &Asmcli{Version: Seen[string]{Value: "1.23.2-asm.2+config1"}, Kpt: Seen[string]{Err: exec.ErrNotFound}}
			for i := range f.Clusters {
				f.Clusters[i].Member.Value = true
			}
			if spoil != nil {
				spoil(f)
			}
		}
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
		{"another Gateway with 15443", "ports", false, opens("web/east-west", 15443, 15012), Failed, "web/east-west opens 15443, 15012 on"},
		{"istiod through the gateway", "ports", false, opens("istio-system/istiod", 15012), Failed, "gateway-exposure"},
		{"another Gateway with the readiness port", "ports", false, opens("web/ready", 15021), Failed, "web/ready opens 15021"},
		{"gateways unseen", "ports", false, west(func(c *Cluster) { c.Ports.Err = errNo }), Unknown, "no such luck"},
		{"gateways unseen elsewhere", "ports", false, west(func(c *Cluster) { c.Ports.Value.Elsewhere = errNo }), Unknown, "only the gateways of istio-system"},
		{"a gateway that is there", "ports", false, west(func(c *Cluster) { c.Ports.Value.Services = []Opened{{"istio-system/istio-eastwestgateway", nil}} }), Failed, "--from expose"},
		{"ports of nodes", "ports", false, west(func(c *Cluster) { c.Balancer.Value.Clouds = []string{"k3s"} }), Unknown, "web/front with 15021"},
		{"ports of nodes beside MetalLB", "", false, west(func(c *Cluster) { c.Balancer.Value = Balancer{Clouds: []string{"k3s"}, Pools: true} }), OK, ""},
		{"ports of nodes that are free", "", false, west(func(c *Cluster) { c.Balancer.Value.Clouds, c.Ports.Value.Services = []string{"k3s"}, nil }), OK, ""},
		{"a gateway to begin after", "", false, func(f *Facts) {
			f.Asked.From = intent.FromExpose
			f.Clusters[1].Ports.Value.Services = []Opened{{"istio-system/istio-eastwestgateway", nil}}
		}, OK, ""},
		{"another Gateway before S7", "ports", false, func(f *Facts) {
			f.Asked.From = intent.FromExpose
			opens("istio-system/cross-network-gateway", 15443)(f)
		}, Failed, "--from join"},
		{"a Gateway to begin after", "", false, func(f *Facts) {
			f.Asked.From = intent.FromJoin
			opens("istio-system/cross-network-gateway", 15443)(f)
		}, OK, ""},
		{"a context that S8 cannot name", "context", false, west(func(c *Cluster) { c.Context = "arn:aws:eks:r:1:cluster/west" }), Failed, "arn-aws-eks-r-1-cluster/west"},
		{"a context with a blank", "context", false, west(func(c *Cluster) { c.Context, c.Kubeconfig = "my west", "/my k/west.yaml" }), Failed, "(KUBECONFIG='/my k/west.yaml' kubectl config rename-context 'my west' NAME)"},
		{"such a context named by its id", "", false, func(f *Facts) { f.ByID, f.Clusters[1].Context = true, "a/west" }, OK, ""},
		{"a context of Google Cloud without asmcli", "", false, func(f *Facts) { f.Clusters[0].Context = "gke_east" }, OK, ""},
		{"asmcli", "", false, asmcli(nil), OK, ""},
		{"an unfit asmcli", "asmcli", false, asmcli(func(f *Facts) { f.Host.Asmcli.Version.Err = fmt.Errorf("x: %w", asm.ErrUnfit) }), Failed, "--gcloud"},
		{"an asmcli in a directory with a blank", "asmcli", false, asmcli(func(f *Facts) {
			_, f.Host.Asmcli.Version.Err = asm.Open(context.Background(), asm.Options{Asmcli: "/bin/sh", Gcloud: "/bin/sh", Dir: "/home/ann/my runs/r1"}, time.Second)
		}), Failed, "without blanks"},
		{"an asmcli that cannot be asked", "asmcli", false, asmcli(func(f *Facts) { f.Host.Asmcli.Version.Err = errNo }), Unknown, "no such luck"},
		{"asmcli without its tools", "asmcli's tools", false, asmcli(func(f *Facts) { f.Host.Asmcli.Lacking = []string{"csplit", "jq"} }), Failed, "csplit, jq"},
		{"asmcli with another kpt", "asmcli's tools", false, asmcli(func(f *Facts) { f.Host.Asmcli.Kpt = Seen[string]{Value: "1.0.0-beta.55"} }), Unknown, "kpt 0.x"},
		{"asmcli with its kpt", "", false, asmcli(func(f *Facts) { f.Host.Asmcli.Kpt = Seen[string]{Value: "v0.39.3"} }), OK, ""},
		{"asmcli with a kpt that says nothing", "asmcli's tools", false, asmcli(func(f *Facts) { f.Host.Asmcli.Kpt.Err = errNo }), Unknown, "no such luck"},
		{"asmcli that downloads", "", false, asmcli(func(f *Facts) { f.Host.Asmcli.Downloads = true }), OK, ""},
		{"asmcli and a context of Google Cloud", "context", false, asmcli(func(f *Facts) { f.Clusters[0].Context, f.Clusters[0].Kubeconfig = "GKE_east", "e.yaml" }), Failed, "(KUBECONFIG=e.yaml kubectl config rename-context GKE_east NAME)"},
		{"asmcli and a second context of Google Cloud", "", false, asmcli(func(f *Facts) { f.Clusters[1].Context = "gke_west" }), OK, ""},
		{"asmcli and a member of no fleet", "fleet", false, asmcli(func(f *Facts) { f.Clusters[1].Member.Value = false }), Failed, "register it first"},
		{"asmcli and an unseen member", "fleet", false, asmcli(func(f *Facts) { f.Clusters[1].Member.Err = errNo }), Unknown, "rbac --asmcli"},
		{"images unseen", "images", false, west(func(c *Cluster) { c.Pulls = Seen[Pulls]{Err: errNo} }), Unknown, "no such luck"},
		{"an image that the registry lacks", "images", false, said(images.ErrNowhere), Failed, "does not hold e.com/probe:1"},
		{"an image that the registry does not give", "images", false, said(errNo), Unknown, "e.com/probe:1: no such luck"},
		{"images of which nobody was asked", "images", false, pulling(func(p *Pulls) { p.Asked = nil }), Unknown, "nothing was pulled: e.com/probe:1"},
		{"the rig's image on given clusters", "images", false, pulling(func(p *Pulls) { p.Wanted, p.Asked = []string{images.ProbeRef()}, nil }), Unknown, "with --probe-image"},
		{"images that are all on nodes", "", false, pulling(func(p *Pulls) { p.Asked, p.There = nil, p.Wanted }), OK, ""},
		{"samples that are not known", "images", false, pulling(func(p *Pulls) { p.Samples = false }), Unknown, "--release-dir"},
		{"a pull secret that is not there", "pull secrets", false, west(func(c *Cluster) { c.Secrets.Value = Secrets{[]string{"a", "b"}, []string{"b"}} }), Failed, "istio-system has no b"},
		{"a pull secret that is not needed any more", "", false, west(func(c *Cluster) { c.Secrets.Value.Named = []string{"a"} }), OK, ""},
		{"pull secrets unseen", "pull secrets", false, west(func(c *Cluster) { c.Secrets.Err = errNo }), Unknown, "no such luck"},
		{"a pull secret that new namespaces lack", "pull secrets", false, west(func(c *Cluster) {
			c.Secrets.Value.Named, c.Pulls.Value.There = []string{"a"}, nil
			c.Pulls.Value.Asked = []images.Asked{{Ref: "e.com/proxyv2:1"}, {Ref: "e.com/probe:1"}}
		}), Unknown, "e.com/proxyv2:1 without it"},
		{"credentials of another registry", "image pull secret", false, func(f *Facts) { f.ProbeImage, f.PullSecret = "e.com/probe:1", []string{"f.com"} }, Failed, "log in to e.com"},
		{"credentials as docker login writes them", "", false, func(f *Facts) {
			f.ProbeImage, f.PullSecret = "probe:1", []string{"e.com", "https://index.docker.io/v1/"}
		}, OK, ""},
		{"images of a run", "", true, asked(nil), OK, ""},
		{"images of a run that a mirror lacks", "images", true, asked(images.ErrNowhere), Failed, "meshproof images push"},
		{"images of a run in a silent registry", "images", true, asked(errNo), Unknown, "docker login"},
		{"images of a release that does not say them", "images", true, func(f *Facts) { f.Host.Images = &Seen[[]images.Asked]{Err: errNo} }, Unknown, "no such luck"},
		{"two platforms", "platform", false, func(f *Facts) {
			f.Clusters[0].Balancer.Value.Clouds, f.Clusters[1].Balancer.Value.Clouds = []string{"aws"}, []string{"azure"}
		}, Failed, "east of aws, west of azure"},
		{"one platform by the nodes", "", false, func(f *Facts) {
			f.Platform, f.Clusters[0].Balancer.Value.Clouds, f.Clusters[1].Balancer.Value.Clouds = "", []string{"aws"}, []string{"aws"}
		}, OK, ""},
		{"one platform that nobody says", "platform", false, func(f *Facts) { f.Platform, f.Clusters[0].Balancer.Value.Clouds = "", []string{"aws"} }, Unknown, "--platform"},
		{"a restricted istio-system", "admission", false, system("restricted"), Failed, "istio-system is restricted"},
		{"a baseline istio-system", "", false, system("baseline"), OK, ""},
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
	if ExitCode(rows) != exitcode.CouldNotTell {
		t.Errorf("exit code %d", ExitCode(rows))
	}
	if ExitCode(append(rows, failed("a", "b", "c"))) != exitcode.Failed {
		t.Error("a failed row counts more than an unknown one")
	}
}

// TestPlatformsAreComparedBeyondTheFirst: a first cluster that names no provider hides nothing of the others.
func TestPlatformsAreComparedBeyondTheFirst(t *testing.T) {
	all := make([]Cluster, 3)
	all[1].Name, all[1].Balancer.Value.Clouds = "west", []string{"aws"}
	all[2].Name, all[2].Balancer.Value.Clouds = "north", []string{"azure"}
	if r := platforms("attached-eks", all); r.Verdict != Failed || !strings.Contains(r.Seen, "west of aws, north of azure") {
		t.Errorf("%+v", r)
	}
}
