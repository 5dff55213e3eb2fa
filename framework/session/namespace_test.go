package session

import (
	"regexp"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
)

// TestTheIntentSaysWhereTheSampleIs: and says nothing where it is the guide's place, as intents of earlier versions do.
func TestTheIntentSaysWhereTheSampleIs(t *testing.T) {
	for given, want := range map[string]string{"": "", "sample": "", "ours": "ours"} {
		in := Options{Namespace: given}.kindIntent()
		if in.SampleNamespace != want || in.Namespace() == "" {
			t.Errorf("%q: the intent says %q, and means %q", given, in.SampleNamespace, in.Namespace())
		}
	}
}

// TestGatewaysAreAskedForTheSample: by its name in the mesh, wherever it is.
func TestGatewaysAreAskedForTheSample(t *testing.T) {
	guides := regexp.MustCompile(`\bsample\b`)
	s := &Session{set: cluster.Set{{Name: "east"}}, intent: intent.Intent{Provision: intent.Supplied}.InNamespace("ours")}
	if err := s.makeAttempts(); err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, a := range s.attempts["east"] {
		if guides.MatchString(a.SNI+" "+a.Host) || a.Host != "helloworld.ours:5000" {
			t.Errorf("%s asks %q for %q", a.As, a.SNI, a.Host)
		}
		if a.SNI == "outbound_.5000_._.helloworld.ours.svc.cluster.local" {
			named++
		}
	}
	if named == 0 {
		t.Error("nobody asks for helloworld")
	}
}
