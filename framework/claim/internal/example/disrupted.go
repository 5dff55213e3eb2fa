package example

import (
	"github.com/meshproof/meshproof/framework/evidence"
)

// disruptedSamples is how many calls the example makes in each epoch of a disruption.
const disruptedSamples = 60

// Disrupted is a run in which one thing was done to the mesh and undone: spoil changes the mesh as it was in between, whose
// epoch it finds as the joined one. Both epochs are else those of a healthy mesh.
func Disrupted(id string, spoil func(evidence.Run)) evidence.Run {
	run := Healthy()
	run.Intent.Disruptions, run.Intent.DisruptionSamples = []string{id}, disruptedSamples
	few := Intent()
	few.Samples = disruptedSamples
	for _, name := range []string{evidence.Broken(id), evidence.Repaired(id)} {
		other := healthy(few)
		if name == evidence.Broken(id) {
			spoil(other)
		}
		epoch := other.Epochs[evidence.Joined]
		epoch.Name = name
		run.Epochs[name] = epoch
	}
	return run
}
