package cause

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// stepFile gives the sentence with the file of the steps, or nothing when there is no sentence.
func stepFile(sentence string) (string, []string) {
	if sentence == "" {
		return "", nil
	}
	return sentence, []string{evidence.StepsFile}
}

// dead gives the step that ended the run before the finding's evidence could be taken, and whether there is one. Findings of
// set-up that are about steps always look there.
func (s sight) dead() (evidence.Step, bool) {
	if len(s.run.Epochs[s.epoch].Clusters) > 0 && s.claim != "procedure" {
		return evidence.Step{}, false
	}
	if step, failed := seen.FirstFailed(s.run.Steps); failed || s.claim == "procedure" {
		return step, failed
	}
	at := slices.IndexFunc(s.run.Steps, func(step evidence.Step) bool { return step.Error != "" && step.Finding == "" })
	if at < 0 {
		return evidence.Step{}, false
	}
	return s.run.Steps[at], true
}

func unreachable(s sight) (string, []string) {
	if step, there := s.dead(); there {
		return stepFile(seen.UnreachableStep(step))
	}
	for _, c := range s.all() {
		if sentence, file := seen.Unreachable(s.run, s.epoch, c.Name); sentence != "" {
			return sentence, []string{file}
		}
	}
	return "", nil
}

// around gives what one check of the environment says of the clusters that can have broken the claim.
func around(s sight, check func(*evidence.Kubernetes, string) string) (string, []string) {
	for _, c := range s.near() {
		if sentence := check(s.objects(c.Name), c.Name); sentence != "" {
			return sentence, []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
		}
	}
	return "", nil
}

func unpullable(s sight) (string, []string) {
	if step, there := s.dead(); there {
		if sentence := seen.UnpullableStep(step); sentence != "" {
			return stepFile(sentence)
		}
	}
	return around(s, func(k *evidence.Kubernetes, cluster string) string { return seen.Unpullable(k, s.sample(), cluster) })
}

func poolEmpty(s sight) (string, []string) {
	if step, there := s.dead(); there {
		if sentence := seen.PoolEmptyStep(step); sentence != "" {
			return stepFile(sentence)
		}
	}
	return around(s, seen.PoolEmpty)
}

// dns is shown by curl's exit code 6: the name of a service that is there could not be resolved. It explains that calls were
// lost, never that those which were made went to one side.
func dns(s sight) (string, []string) {
	for _, c := range s.callers() {
		if !seen.HasService(s.objects(c.Name), s.sample(), evidence.RoleHelloworld) {
			continue // service-missing says so
		}
		for _, purpose := range []string{evidence.Split, evidence.GuideCalls} {
			t, _ := s.cluster(c.Name).TrafficFor(purpose)
			failed := strings.Count(t.Stderr, "curl: (6)")
			if purpose == evidence.Split {
				failed = 0 // each reply has its exit code, and what curl says beside it is cut
			}
			for _, r := range t.Replies {
				if r.Exit == unresolved {
					failed++
				}
			}
			if failed > 0 && (failed >= t.Asked || s.losesCalls()) {
				return fmt.Sprintf("the DNS of cluster %s did not resolve helloworld.%s for sleep in %d of %d calls, though the service is there", c.Name, s.sample(), failed, t.Asked),
					[]string{evidence.FileOfTraffic(s.epoch, c.Name, purpose)}
			}
		}
	}
	return "", nil
}

// losesCalls tells whether the claim is broken by single calls that were lost before they reached Envoy.
func (s sight) losesCalls() bool {
	switch s.claim {
	case "guide-calls", "split-replies":
		return true
	case "split-accounted":
		return !slices.ContainsFunc(s.ways(), func(w way) bool { _, _, failed := s.failing(w); return failed > 0 })
	}
	return false
}

// unresolved is curl's exit code when a name cannot be resolved.
const unresolved = 6
