// Package fault puts one fault at a time into a healthy mesh and takes it out again, so that the suite can be proved: each
// fault declares the verdict and the cause that a judgement of the broken mesh must come to. It acts only; it never judges.
// It is for clusters that the run made itself: several faults reach into kind's nodes.
package fault

import (
	"context"
	"slices"

	"github.com/meshproof/meshproof/framework/claim"
)

// Fault is one thing that can be wrong with a mesh.
type Fault struct {
	// ID is stable: "gateway-without-listener".
	ID string
	// Sentence says what is done, for a person.
	Sentence string
	// Verdict and Cause are what a judgement must come to. Cause is the id of a cause in framework/claim/cause.
	Verdict claim.Verdict
	Cause   string
	// Also are ids of further causes that the same fault shows in some findings; any other cause is a wrong name.
	Also []string
	// Samples per direction with which it is judged; 0 = enough to see that a side is missing.
	Samples int
	// Break returns when the fault is in force: what must notice it has, and clients are new where old connections would
	// hide it. Repair returns when nothing of the fault is left; it may be called after a Break that failed half way.
	Break, Repair func(context.Context, *Rig) error
}

// All gives every fault, the quick ones of a group first.
func All() []Fault {
	return slices.Concat(secrets(), gateways(), paths(), routing(), workloads(), identities(), planes(), surroundings())
}

// Get gives the fault of that id, and whether there is one.
func Get(id string) (Fault, bool) {
	all := All()
	at := slices.IndexFunc(all, func(f Fault) bool { return f.ID == id })
	if at < 0 {
		return Fault{}, false
	}
	return all[at], true
}
