package cause

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// TestAMissingFileIsNoCause takes each file away that a finding names: what could not be read shows nothing, so that no cause
// stands before the name of the file.
func TestAMissingFileIsNoCause(t *testing.T) {
	files := map[string]bool{}
	for _, f := range claim.Judge(example.Healthy()) {
		for _, file := range f.Evidence {
			files[file] = true
		}
	}
	if len(files) == 0 {
		t.Fatal("no finding names a file")
	}
	for file := range files {
		run := example.Without(example.Healthy(), file)
		found := Apply(run, claim.Judge(run))
		for _, f := range found {
			if f.Cause != nil {
				t.Errorf("without %s, %s (%s) has the cause %s: %s", file, f.Claim, f.Subject, f.Cause.ID, f.Cause.Sentence)
			}
		}
		if verdict, reason := claim.Conclude(found); verdict != claim.Inconclusive || !strings.Contains(reason, file) {
			t.Errorf("without %s: %s: %s", file, verdict, reason)
		}
	}
}

// TestAListThatWasRefusedIsNoCause has one namespace's list of objects refused: what it lacks then shows nothing.
func TestAListThatWasRefusedIsNoCause(t *testing.T) {
	for what, drop := range map[string]func(k *evidence.Kubernetes, namespace string){
		"pods": func(k *evidence.Kubernetes, namespace string) {
			k.Pods = slices.DeleteFunc(k.Pods, func(p evidence.Pod) bool { return p.Namespace == namespace })
		},
		"services": func(k *evidence.Kubernetes, namespace string) {
			k.Services = slices.DeleteFunc(k.Services, func(s evidence.Service) bool { return s.Namespace == namespace })
		},
		"deployments": func(k *evidence.Kubernetes, namespace string) {
			k.Deployments = slices.DeleteFunc(k.Deployments, func(d evidence.Deployment) bool { return d.Namespace == namespace })
		},
		"gateways": func(k *evidence.Kubernetes, namespace string) {
			k.Gateways = slices.DeleteFunc(k.Gateways, func(g evidence.Gateway) bool { return g.Namespace == namespace })
		},
		"namespace": func(k *evidence.Kubernetes, namespace string) {
			k.Namespaces = slices.DeleteFunc(k.Namespaces, func(o evidence.Object) bool { return o.Name == namespace })
		},
	} {
		for _, namespace := range []string{"sample", "istio-system"} {
			refused := "read " + what + " in " + namespace + " on cluster west: forbidden"
			run := example.Healthy()
			c := example.Cluster(run, west)
			drop(c.Kubernetes, namespace)
			c.Problems = []evidence.Problem{{What: "API objects", Error: refused}}
			found := Apply(run, claim.Judge(run))
			for _, f := range found {
				if f.Cause != nil || f.Verdict == claim.Failed {
					t.Errorf("%s: %s (%s) is %s: %s, %+v", refused, f.Claim, f.Subject, f.Verdict, f.Reason, f.Cause)
				}
			}
			if verdict, reason := claim.Conclude(found); verdict != claim.Inconclusive || !strings.Contains(reason, refused) {
				t.Errorf("%s: %s: %s", refused, verdict, reason)
			}
		}
	}
}
