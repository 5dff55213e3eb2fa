package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
)

// recorded is the evidence of a real run that passed.
const recorded = "../claim/testdata/healthy"

func copied(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	if err := os.CopyFS(dir, os.DirFS(recorded)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func files(t *testing.T) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(recorded), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	return all
}

func judged(t *testing.T, dir string) Findings {
	t.Helper()
	found, _, err := JudgeDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheRecordedRunPasses(t *testing.T) {
	if found := judged(t, recorded); found.Verdict != claim.Passed {
		t.Fatalf("%s: %s", found.Verdict, found.Reason)
	}
}

// Whatever happens to one file, the run does not pass any more, and the reason of some finding names that file.
func TestDamagedEvidenceNeverPasses(t *testing.T) {
	damages := map[string]func(path string, content []byte) error{
		"removed":   func(path string, _ []byte) error { return os.Remove(path) },
		"truncated": func(path string, content []byte) error { return os.WriteFile(path, content[:len(content)/2], 0o600) },
		"changed": func(path string, content []byte) error {
			other := bytes.Clone(content)
			other[len(other)/2] ^= 1
			return os.WriteFile(path, other, 0o600)
		},
	}
	for _, name := range files(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := copied(t)
			path := filepath.Join(dir, filepath.FromSlash(name))
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for damage, do := range damages {
				if err := do(path, content); err != nil {
					t.Fatal(err)
				}
				found, _, err := JudgeDir(dir)
				switch {
				case err != nil && strings.Contains(err.Error(), name):
				case err != nil:
					t.Errorf("%s: error %v does not name the file", damage, err)
				case found.Verdict == claim.Passed:
					t.Errorf("%s: the run still passes", damage)
				case damage != "removed" && names(found, name+" is not there"):
					t.Errorf("%s: a finding says that the file is not there", damage)
				case !names(found, name):
					t.Errorf("%s: %s, but no finding that is not passed names the file: %s", damage, found.Verdict, found.Reason)
				}
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func names(found Findings, text string) bool {
	for _, f := range found.Findings {
		if f.Verdict != claim.Passed && strings.Contains(f.Reason, text) {
			return true
		}
	}
	return false
}

// Evidence that is sealed anew after an endpoint was changed is judged by what it says.
func TestAnotherEndpointIsAnotherVerdict(t *testing.T) {
	dir := copied(t)
	before, err := judged(t, dir).JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := judged(t, dir).JSON()
	if err != nil || !bytes.Equal(before, again) {
		t.Fatalf("judging twice gives other bytes (%v)", err)
	}
	proxies, err := filepath.Glob(filepath.Join(dir, evidence.Joined, "east", "proxy-sample-sleep-*.json"))
	if err != nil || len(proxies) != 1 {
		t.Fatalf("proxies of sleep: %v, %v", proxies, err)
	}
	content, err := os.ReadFile(proxies[0])
	if err != nil {
		t.Fatal(err)
	}
	var proxy evidence.Proxy
	if err := json.Unmarshal(content, &proxy); err != nil {
		t.Fatal(err)
	}
	endpoints, err := proxy.Endpoints(evidence.OutboundCluster("sample"))
	if err != nil {
		t.Fatal(err)
	}
	remote := ""
	for _, e := range endpoints {
		if e.Port == evidence.GatewayPort {
			remote = e.Address
		}
	}
	if remote == "" {
		t.Fatal("no remote endpoint was recorded")
	}
	changed := bytes.ReplaceAll(content, []byte(`"`+remote+`"`), []byte(`"192.0.2.7"`))
	if bytes.Equal(changed, content) {
		t.Fatalf("address %s is not in the file", remote)
	}
	if err := os.WriteFile(proxies[0], changed, 0o600); err != nil {
		t.Fatal(err)
	}
	reseal(t, dir, proxies[0], content, changed)
	found := judged(t, dir)
	if found.Verdict != claim.Failed || !strings.Contains(found.Reason, "192.0.2.7") {
		t.Errorf("%s: %s; want failed, with the address 192.0.2.7", found.Verdict, found.Reason)
	}
}

// reseal puts a file's new checksum into SHA256SUMS.
func reseal(t *testing.T, dir, path string, before, after []byte) {
	t.Helper()
	sums := filepath.Join(dir, evidence.SumsFile)
	text, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(content []byte) []byte {
		s := sha256.Sum256(content)
		return []byte(hex.EncodeToString(s[:]))
	}
	next := bytes.Replace(text, sum(before), sum(after), 1)
	if bytes.Equal(next, text) {
		t.Fatalf("the checksum of %s is not in %s", path, evidence.SumsFile)
	}
	if err := os.WriteFile(sums, next, 0o600); err != nil {
		t.Fatal(err)
	}
}
