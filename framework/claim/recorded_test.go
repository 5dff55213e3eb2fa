package claim

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// recorded is the sealed evidence of a run on two kind clusters (paths of that machine replaced), made anew by scripts/record;
// older is that of a run before there were denials, a second service and statistics.
const recorded, older = "testdata/healthy", "testdata/older"

func load(t *testing.T, dir string) evidence.Run {
	t.Helper()
	run, err := evidence.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestRecordedMeshPassesEveryClaim(t *testing.T) {
	run := load(t, recorded)
	if code := ExitCode(Judge(run)); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, f := range Judge(run) {
		if unasked(f) {
			if f.Verdict != Skipped || f.Level != Extended {
				t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
			}
			continue
		}
		if f.Verdict != Passed {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
		for _, file := range f.Evidence {
			if _, err := os.Stat(filepath.Join(recorded, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s (%s) names a file that is not there: %v", f.Claim, f.Subject, err)
			}
		}
	}
}

// unrecorded are the claims that the older run does not make: it did not read the control plane's logs.
func unrecorded(f Finding) bool { return unasked(f) || strings.HasPrefix(f.Claim, "istiod-") }

// What a run did not collect or ask yet is open, and decides nothing: the rest of older evidence passes as it did.
func TestOlderEvidenceIsJudged(t *testing.T) {
	all := Judge(load(t, older))
	if code := ExitCode(all); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, f := range all {
		want := Passed
		switch {
		case unrecorded(f), f.Area == Denial, slices.Contains([]string{"second-endpoints", "second-service", "traffic-identity"}, f.Claim):
			want = Skipped
		case slices.Contains([]string{"injector-webhook", "remote-cluster-metrics", "reader-access", "configuration-accepted"}, f.Claim):
			want = Inconclusive
		}
		if f.Verdict != want || want != Passed && f.Level != Extended {
			t.Errorf("%s (%s): %s, %s: %s, want %s", f.Claim, f.Subject, f.Level, f.Verdict, f.Reason, want)
		}
	}
}

// in replaces text in one page of a recorded proxy; it must be there.
func in(t *testing.T, page *[]byte, old, replacement string) {
	t.Helper()
	if !bytes.Contains(*page, []byte(old)) {
		t.Fatalf("the recorded page does not hold %s", old)
	}
	*page = bytes.ReplaceAll(*page, []byte(old), []byte(replacement))
}

func TestRecordedMeshSpoiled(t *testing.T) {
	peerGateway := func(run evidence.Run) string { return example.Cluster(run, west).Dials[0].Address } // east's, which west dials
	for _, tc := range []spoiled{
		{"a raw pod address in place of the gateway", "endpoints-across-gateway", "west to east", func(run evidence.Run) {
			host, _, _ := strings.Cut(peerGateway(run), ":")
			in(t, (*[]byte)(&example.Proxy(run, west, evidence.RoleSleep).ConfigDump), host, "10.244.0.12")
		}, Failed, "10.244.0.12:15443"},
		{"the gateway's port is another", "gateway-listener", west, func(run evidence.Run) {
			in(t, (*[]byte)(&example.Proxy(run, west, evidence.RoleGateway).ConfigDump), `"port_value":15443`, `"port_value":15444`)
		}, Failed, "no listener"},
		{"the SNI chain is gone", "gateway-exposes", west, func(run evidence.Run) {
			in(t, (*[]byte)(&example.Proxy(run, west, evidence.RoleGateway).ConfigDump), "outbound_.5000_._.helloworld", "outbound_.5000_._.other")
		}, Failed, "no filter chain"},
		{"the pod behind the gateway is not ready", "gateway-backend-healthy", west, func(run evidence.Run) {
			in(t, (*[]byte)(&example.Proxy(run, west, evidence.RoleGateway).Clusters), `"eds_health_status":"HEALTHY"`, `"eds_health_status":"UNHEALTHY"`)
		}, Failed, "unhealthy"},
		{"round robin", "lb-policy", eastToWest, func(run evidence.Run) {
			in(t, (*[]byte)(&example.Proxy(run, east, evidence.RoleSleep).ConfigDump), `"lb_policy":"LEAST_REQUEST"`, `"lb_policy":"RANDOM"`)
		}, Failed, "RANDOM"},
		{"a remote cluster in timeout", "remote-clusters-synced", east, func(run evidence.Run) {
			page := example.Cluster(run, east).Istiods[0].Pages[evidence.PageClusterz]
			in(t, (*[]byte)(&page), `"syncStatus":"synced"`, `"syncStatus":"timeout"`)
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageClusterz] = page
		}, Failed, "timeout"},
		{"another root", "common-root", "mesh", func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleSleep).RootSHA256 = strings.Repeat("0", 64)
		}, Failed, "0000000000000000"},
		{"endpoints of the sample stay in istiod", "endpoints-withdrawn", west, func(run evidence.Run) {
			run.Epochs[evidence.Removed].Clusters[west].Istiods = example.Cluster(run, west).Istiods
			run.Epochs[evidence.Removed].Clusters[west].Kubernetes.Pods = example.Cluster(run, west).Kubernetes.Pods
		}, Failed, "still has the endpoint"},
		{"a proxy that was not sent its endpoints", "proxies-synced", east, func(run evidence.Run) {
			page := example.Cluster(run, east).Istiods[0].Pages[evidence.PageSyncz]
			at := bytes.Index(page, []byte(`"proxy":"sleep-`))
			at += bytes.Index(page[at:], []byte(`envoy.config.endpoint.v3.ClusterLoadAssignment":{"sent":"`))
			page = slices.Concat(page[:at], bytes.Replace(page[at:], []byte(`"sent":"`), []byte(`"sent":"newer `), 1))
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageSyncz] = page
		}, Failed, "has not taken its ClusterLoadAssignment"},
		{"the pages of an older istiod", "proxies-synced", east, func(run evidence.Run) {
			page := example.Cluster(run, east).Istiods[0].Pages[evidence.PageSyncz]
			in(t, (*[]byte)(&page), `"resources"`, `"other"`)
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageSyncz] = page
		}, Passed, "all 3 proxies on east"},
		{"a gateway of another network", "gateways-known", east, func(run evidence.Run) {
			page := example.Cluster(run, east).Istiods[0].Pages[evidence.PageNetworkz]
			in(t, (*[]byte)(&page), `"network2"`, `"network9"`)
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageNetworkz] = page
		}, Failed, "as a way into network network2 of cluster west"},
		{"pods without mutual TLS", "endpoints-shared", east, func(run evidence.Run) {
			page := example.Cluster(run, east).Istiods[0].Pages[evidence.PageEndpointShardz]
			in(t, (*[]byte)(&page), `"TLSMode":"istio"`, `"TLSMode":"disabled"`)
			example.Cluster(run, east).Istiods[0].Pages[evidence.PageEndpointShardz] = page
		}, Failed, `without mutual TLS (mode "disabled")`},
		{"a root of the future", "certificates-valid", west, func(run evidence.Run) {
			page := &example.Proxy(run, west, evidence.RoleSleep).Certs
			*page = regexp.MustCompile(`("ca_cert":.*?"valid_from":")[0-9]{4}`).ReplaceAll(*page, []byte("${1}2099"))
		}, Failed, "the root"},
		{"another account", "workload-identity", west, func(run evidence.Run) {
			in(t, (*[]byte)(&example.Proxy(run, west, evidence.RoleSleep).Certs), "/sa/sleep", "/sa/intruder")
		}, Failed, "/sa/intruder"},
		{"one reply is another version's", "split-accounted", eastToWest, func(run evidence.Run) {
			replies := example.Calls(run, east, evidence.Split).Replies
			replies[0].Version = map[string]string{"v1": "v2", "v2": "v1"}[replies[0].Version]
		}, Failed, "replied"},
		{"one call came past the gateway", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			for i, line := range example.Calls(run, west, evidence.Split).AccessLog {
				if line.From == east {
					example.Calls(run, west, evidence.Split).AccessLog[i].Downstream = "10.244.0.200"
					break
				}
			}
		}, Failed, "1 calls from east reached helloworld on west from 10.244.0.200"},
	} {
		t.Run(tc.claim+"/"+tc.name, func(t *testing.T) {
			run := load(t, recorded)
			tc.spoil(run)
			if f := one(t, run, tc.claim, tc.subject); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("%s: %s\nwant %s: ...%s...", f.Verdict, f.Reason, tc.verdict, tc.reason)
			}
		})
	}
}

// TestOneChangedByte changes one endpoint in a copy of the folder: the seal tells, and the claim that needs it does not pass.
func TestOneChangedByte(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	whole := load(t, recorded)
	file := example.Proxy(whole, east, evidence.RoleSleep).File(evidence.Joined, east)
	path := filepath.Join(dir, filepath.FromSlash(file))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in(t, &content, `"port_value": 15443`, `"port_value": 15444`)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	found := Judge(load(t, dir))
	if code := ExitCode(found); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	for _, f := range found {
		needs := f.Claim == "common-root" || f.Claim == "evidence-whole" || f.Subject == eastToWest &&
			slices.Contains([]string{"endpoints-across-gateway", "second-endpoints", "lb-policy", "split-accounted", "split-balanced"}, f.Claim) ||
			f.Subject == east && slices.Contains([]string{"workload-identity", "certificates-valid", "ca-in-use", "configuration-accepted"}, f.Claim)
		if unasked(f) {
			continue
		}
		if needs && (f.Verdict != Inconclusive || !strings.Contains(f.Reason, file)) || !needs && f.Verdict != Passed {
			t.Errorf("%s (%s): %s: %s", f.Claim, f.Subject, f.Verdict, f.Reason)
		}
	}
}
