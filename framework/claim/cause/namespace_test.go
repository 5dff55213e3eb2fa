package cause

import (
	"encoding/json"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/evidence/evidencetest"
)

// judged gives what some claims say of a run, with the causes, as its report has it.
func judged(t *testing.T, run evidence.Run, claims []claim.Claim) []byte {
	t.Helper()
	var found []claim.Finding
	for _, c := range claims {
		found = append(found, c.Judge(run)...)
	}
	text, err := json.MarshalIndent(Apply(run, found), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sameElsewhere sees that claims say the same of a run when the guide's sample is in another namespace.
func sameElsewhere(t *testing.T, dir string, run evidence.Run, claims []claim.Claim) (moved evidence.Run) {
	t.Helper()
	moved = evidencetest.Moved(t, dir)
	want, got := string(judged(t, run, claims)), evidencetest.Back(judged(t, moved, claims))
	if got != want {
		t.Errorf("with the sample in %s:\n%s\nwant:\n%s", moved.Intent.Namespace(), got, want)
	}
	return moved
}

func TestARecordedRunIsJudgedAlikeInAnotherNamespace(t *testing.T) {
	for _, name := range []string{"healthy", "older", "three"} {
		dir := "../testdata/" + name
		run, err := evidence.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		moved := sameElsewhere(t, dir, run, claim.All())
		if code := claim.ExitCode(claim.Judge(moved)); code != 0 {
			t.Errorf("%s: exit code %d, want 0", name, code)
		}
		moved.Intent.SampleNamespace = ""
		if code := claim.ExitCode(claim.Judge(moved)); code != 1 {
			t.Errorf("%s: exit code %d of a run that expects the sample where it is not, want 1", name, code)
		}
	}
}

func TestMatchesInAnotherNamespace(t *testing.T) {
	var moved sight
	moved.run.Intent.SampleNamespace = "other"
	for host, want := range map[string]bool{"helloworld.other.svc.cluster.local": true, "*.other.svc.cluster.local": true, "helloworld": true, "helloworld.sample": false} {
		if moved.matches(host, "other") != want {
			t.Errorf("host %s, with the sample in another namespace: %t, want %t", host, !want, want)
		}
	}
}
