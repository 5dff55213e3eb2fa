package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/diagnose"
	"github.com/meshproof/meshproof/framework/packed/packedtest"
)

// TestASetUpThatFailsIsExplained: whatever the clusters hold when it fails is saved once, and nothing where the input was refused or
// somebody ended the run.
func TestASetUpThatFailsIsExplained(t *testing.T) {
	failed := errors.New("the gateway has no address")
	over, end := context.WithCancel(t.Context())
	end()
	for name, tc := range map[string]struct {
		ctx     context.Context
		err     error
		already bool
		saved   bool
	}{
		"failed":         {t.Context(), failed, false, true},
		"failed and was": {t.Context(), failed, true, false},
		"refused":        {t.Context(), &UsageError{failed}, false, false},
		"interrupted":    {over, failed, false, false},
		"well":           {t.Context(), nil, false, false},
	} {
		_, o := meshes(t)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.diagnosed = tc.already
		if got := s.explained(tc.ctx, tc.err); !errors.Is(got, tc.err) {
			t.Errorf("%s: %v", name, got)
		}
		for _, cluster := range []string{"one", "two"} {
			dir := filepath.Join(o.ReportDir, DiagnosticsDir, cluster)
			if _, err := os.Stat(dir); (err == nil) != tc.saved {
				t.Errorf("%s: diagnostics of cluster %s: %v", name, cluster, err)
			}
			if !tc.saved {
				continue
			}
			for file, want := range map[string]string{"objects.json": "istiod-r", "pods.yaml": "istio-system/istiod", diagnose.ErrorsFile: "istiod: read istiod on cluster " + cluster} {
				if text := packedtest.Read(t, filepath.Join(dir, file)); !strings.Contains(text, want) {
					t.Errorf("%s: %s of cluster %s lacks %q: %s", name, file, cluster, want, text)
				}
			}
		}
	}
}

// TestASetUpThatTookTooLongIsExplained: its own limit ends a set-up, and not what is saved of it.
func TestASetUpThatTookTooLongIsExplained(t *testing.T) {
	for name, bring := range map[string]func(*Session, context.Context) error{"provisioned": (*Session).Provision, "to stand": (*Session).Stand} {
		_, o := meshes(t)
		o.Timeout = 1
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := bring(s, t.Context()); err == nil || !strings.Contains(err.Error(), "--timeout") {
			t.Errorf("%s: %v", name, err)
		}
		if text := packedtest.Read(t, filepath.Join(o.ReportDir, DiagnosticsDir, "one", "objects.json")); !strings.Contains(text, "istiod-r") {
			t.Errorf("%s: saved %s", name, text)
		}
	}
}
