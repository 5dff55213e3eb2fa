package intent

import "slices"

// Begin is the part of the guide at which a run begins. What comes before it is not performed, and must be there.
type Begin string

// FromInstall has the run install the control planes too; FromGateway begins at S6, FromExpose at S7, FromJoin at S8, and
// FromVerify at S9, which reads: it deploys the sample only.
const (
	FromInstall Begin = "install"
	FromGateway Begin = "gateway"
	FromExpose  Begin = "expose"
	FromJoin    Begin = "join"
	FromVerify  Begin = "verify"
)

// Steps of the guide that a run may leave out.
const (
	StepGateway = "S6"
	StepExpose  = "S7"
	StepJoin    = "S8"
)

// Begins gives all of them, in the order of the guide.
func Begins() []Begin { return []Begin{FromInstall, FromGateway, FromExpose, FromJoin, FromVerify} }

// Skips tells whether a run that begins there does not perform a step of the guide, "S6".
func (b Begin) Skips(step string) bool {
	skipped := map[Begin][]string{FromExpose: {StepGateway}, FromJoin: {StepGateway, StepExpose}, FromVerify: {StepGateway, StepExpose, StepJoin}}
	return slices.Contains(skipped[b], step)
}

// Later tells whether a run that begins there leaves out steps that change the mesh: what they would have made is somebody's.
func (b Begin) Later() bool { return b.Skips(StepGateway) }

// Skips says why the run did not perform a step of the guide, "S6"; "" when it was to perform it.
func (i Intent) Skips(step string) string {
	switch {
	case i.ReadOnly:
		return "--read-only"
	case i.From.Skips(step):
		return "--from " + string(i.From)
	}
	return ""
}
