package procedure

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

// guideWord is the namespace that the guide prints; its samples/ are files.
var guideWord = regexp.MustCompile(`\bsample\b`)

// TestAnotherNamespace performs all steps with the guide's sample elsewhere, on three clusters: no command, wait or note of the
// ledger names the guide's, and each step that is changed says why.
func TestAnotherNamespace(t *testing.T) {
	n := &notes{}
	r := newRigOf(t, three(), func(o *Options) {
		o.Intent = o.Intent.InNamespace("ours")
		o.Intent.Provision, o.Ledger = intent.Supplied, n
	})
	r.answer["kubectl delete ns ours"] = func(context.Context, shell.Command) (shell.Result, error) {
		for _, s := range r.servers {
			s.Fail("GET", r.moved(namespacePath), 404)
		}
		return shell.Result{}, nil
	}
	r.servers["west"].Put(t, namespacePath, "{metadata: {name: sample}}") // somebody's
	all, err := r.p.SetUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call, err := r.p.Calls(t.Context(), "north")
	if err != nil {
		t.Fatal(err)
	}
	gone, err := r.p.CleanUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all = append(append(all, call), gone...)
	for _, s := range all {
		if guideWord.MatchString(s.Command + s.Error) {
			t.Errorf("step %s names the guide's namespace: %s", s.ID, s.Command)
		}
	}
	for _, c := range r.commands {
		if text := strings.Join(c.Args, " "); guideWord.MatchString(text) {
			t.Errorf("this is run: %s", text)
		}
	}
	if !n.has("made Namespace ours on cluster west") || slices.ContainsFunc(n.lines, guideWord.MatchString) {
		t.Errorf("the ledger was told %q", n.lines)
	}
	for _, id := range strings.Fields("S10 S11.1 S11.2 S11.3 S12.1 S12.2 S12.1.check S12.3.check S13 S13.2.check S14.3 S15.1 S15.2 S15.3") {
		at := slices.IndexFunc(all, func(s evidence.Step) bool { return s.ID == id })
		if at < 0 || !slices.ContainsFunc(all[at].Deviations, because) {
			t.Errorf("step %s does not say why it deviates: %+v", id, all[at].Deviations)
		}
	}
	if r.servers["west"].Get(namespacePath) == nil || len(r.servers["west"].Get(namespacePath).GetLabels()) != 0 {
		t.Error("somebody's namespace was changed")
	}
}

func because(d evidence.Deviation) bool {
	return guideWord.MatchString(d.Printed) && !guideWord.MatchString(d.Run) && strings.Contains(d.Reason, "--namespace")
}

// TestRefuseLooksWhereTheSampleGoes: what is in the guide's namespace is in nobody's way then.
func TestRefuseLooksWhereTheSampleGoes(t *testing.T) {
	r := suppliedRig(t, &notes{})
	r.servers["west"].Put(t, namespacePath, "{metadata: {name: sample}}")
	if err := Refuse(t.Context(), r.set, r.p.o.Intent); err == nil || !strings.Contains(err.Error(), "--namespace NAME") || strings.Contains(err.Error(), "--from") {
		t.Errorf("error %v, want one that says --namespace, and not --from", err)
	}
	elsewhere := r.p.o.Intent.InNamespace("ours")
	if err := Refuse(t.Context(), r.set, elsewhere); err != nil {
		t.Errorf("refused: %v", err)
	}
	r.servers["east"].Put(t, "/api/v1/namespaces/ours", "{metadata: {name: ours}}")
	r.servers["east"].Put(t, servicePath, "{metadata: {name: istio-eastwestgateway}}")
	err := Refuse(t.Context(), r.set, elsewhere)
	for _, want := range []string{"cluster east: ", "Namespace ours", "--namespace NAME", "--from expose, join or verify"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Namespace sample") {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
