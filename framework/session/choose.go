package session

import (
	"errors"
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// Claims gives those that a run with these options would judge. Nothing is asked of any cluster.
func Claims(o Options) ([]claim.Claim, error) {
	s, err := begin(o)
	if err != nil {
		return nil, err
	}
	if len(o.Targets) > 0 {
		s.intent.Provision = intent.Supplied
	}
	if o.Tools.Asmcli != "" {
		s.intent.Asmcli = "unknown" // it is asked for its version when the run begins
	}
	return claim.Asked(s.expected()), nil
}

// expected is what the run will expect when it does all that it is to do.
func (s *Session) expected() intent.Intent {
	in := s.intent
	if !in.ReadOnly {
		in = asking(in)
	}
	if len(s.disruptions())+len(s.injections()) > 0 {
		in = s.disrupted(in)
	}
	return in
}

// soFar reads back what was saved of the run until now. It is sealed at the end only.
func (s *Session) soFar() (evidence.Run, error) {
	if err := errors.Join(s.folder.SaveIntent(s.intent), s.folder.SaveSteps(s.orderedSteps())); err != nil {
		return evidence.Run{}, err
	}
	run, err := evidence.Load(s.folder.Dir())
	if err != nil {
		return evidence.Run{}, err
	}
	run.Unreadable = slices.DeleteFunc(run.Unreadable, func(u evidence.Unreadable) bool { return u.File == evidence.SumsFile })
	return run, nil
}

// failedFast tells whether the claim about what was just done to the mesh failed, and nothing more is to be done to it then. The
// claims about the rest are left out.
func (s *Session) failedFast(id string) (bool, error) {
	if !s.o.FailFast {
		return false, nil
	}
	saved, err := s.soFar()
	if err != nil {
		return false, err
	}
	itsClaim := claim.OfDisruption(id)
	for _, f := range openFindings(saved, func(c claim.Claim) bool { return c.ID == itsClaim }) {
		if f.Verdict == claim.Failed {
			s.intent = stopAfter(s.intent, id)
			s.o.Tell.Note(fmt.Sprintf("nothing more is done to the mesh (--fail-fast): %s (%s) failed: %s", f.Claim, f.Subject, f.Reason))
			return true, nil
		}
	}
	return false, nil
}

// stopAfter is what a run expects that does nothing more to the mesh after this.
func stopAfter(in intent.Intent, id string) intent.Intent {
	planned := slices.Concat(in.Disruptions, in.Injections)
	rest := planned[slices.Index(planned, id)+1:]
	left := map[string]string{}
	for claimID, why := range in.LeftOut {
		left[claimID] = why
	}
	for _, undone := range rest {
		left[claim.OfDisruption(undone)] = "--fail-fast, after " + claim.OfDisruption(id) + " failed"
	}
	is := func(id string) bool { return slices.Contains(rest, id) }
	in.LeftOut = left
	in.Disruptions = slices.DeleteFunc(slices.Clone(in.Disruptions), is)
	in.Injections = slices.DeleteFunc(slices.Clone(in.Injections), is)
	return in
}
