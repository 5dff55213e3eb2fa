package progress

import (
	"github.com/meshproof/meshproof/framework/leak"
	"github.com/meshproof/meshproof/framework/session"
)

// Result is what a command came to that is no run.
type Result struct {
	// Report is the report directory, "" where there is none.
	Report     string
	Proved     *Proved
	Search     *Search
	Judgements *Rounds
	LifeCycles *Rounds
}

// End is the last word of a command that is no run: what the process ends with, what came of it, and why it did not go well.
func (t *Teller) End(r Result, exitCode int, err error) {
	t.show(Event{Event: End, ExitCode: &exitCode, Error: textOf(err), Report: r.Report, Proved: r.Proved, Search: r.Search,
		Judgements: r.Judgements, LifeCycles: r.LifeCycles})
}

// Proof says what came of a planted fault.
func (t *Teller) Proof(p session.Proof) {
	t.show(Event{Event: Proof, Fault: p.Fault.ID, Expected: &Expected{p.Fault.Verdict, p.Fault.Cause}, Verdict: p.Verdict, Causes: p.Causes,
		Named: &p.Named, Seconds: seconds(p.Took), Error: textOf(p.Err)})
}

// Leak says where a secret was found.
func (t *Teller) Leak(l leak.Leak) {
	t.show(Event{Event: Leak, File: l.File, Secret: l.Secret, Encoding: l.Encoding})
}

// Round says what came of one of many judgements, or of one of many life cycles; dir is where its evidence stays, "" for nowhere.
func (t *Teller) Round(what string, r session.Round, dir string) {
	t.show(Event{Event: Round, What: what, Number: r.Number, Verdict: r.Verdict, Reason: r.Reason, Seconds: seconds(r.Took), Report: dir})
}

// Made says where the files of the clusters are that a run has made to stay.
func (t *Teller) Made(run, dir, release string, kubeconfigs []string) {
	t.show(Event{Event: Made, Run: run, Directory: dir, Release: release, Kubeconfigs: kubeconfigs})
}

// Left says what a run has left on this machine and on given clusters.
func (t *Teller) Left(one session.Left) {
	t.show(Event{Event: Left, Run: one.ID, Things: one.Things, Alive: one.Alive, Error: textOf(one.Err)})
}

// LeftThere says what a run of any machine has left on a given cluster.
func (t *Teller) LeftThere(one session.LeftThere) {
	t.show(Event{Event: Left, Run: one.Run, Cluster: one.Cluster, Who: one.Who, Things: one.Things, Alive: one.Alive, Error: textOf(one.Err)})
}

// Removed says that nothing of a run is left, but for what stays for good.
func (t *Teller) Removed(run string, stays []string) {
	t.show(Event{Event: Removed, Run: run, Things: stays})
}

// textOf gives an error's text, "" for none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
