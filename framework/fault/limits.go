package fault

import "time"

// Limits bound what is waited for while something is done to a mesh.
type Limits struct {
	// Command bounds one kubectl or docker command; a rollout is waited for in it.
	Command time.Duration
	// Notice bounds the wait until istiod has noticed something: it gives up on a remote cluster after 30 s.
	Notice time.Duration
}

// DefaultLimits are several times what was measured on two cores.
func DefaultLimits() Limits { return Limits{Command: 3 * time.Minute, Notice: time.Minute} }

// limits are those in force.
func (r *Rig) limits() Limits {
	if r.Limits == (Limits{}) {
		return DefaultLimits()
	}
	return r.Limits
}
