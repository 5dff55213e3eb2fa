package example

import (
	"strconv"

	"github.com/meshproof/meshproof/framework/evidence"
)

// WithAsmcli is Healthy of a run on given clusters to which a real asmcli was given.
func WithAsmcli() evidence.Run {
	run := Healthy()
	run.Intent.Asmcli, run.Intent.Provision = "1.28.2-asm.4+config1", "supplied"
	refusal := []evidence.Step{{ID: evidence.StepOtherFleet, Title: "give asmcli another fleet", Command: "./asmcli create-mesh other", ExitCode: 2}}
	for i, c := range run.Intent.Clusters {
		refusal = append(refusal, evidence.Step{ID: evidence.StepOtherFleet + "." + strconv.Itoa(i+1), Cluster: c.Name})
	}
	run.Steps = append(refusal, run.Steps...)
	return run
}

// ByClusterID is Healthy of a run whose remote secrets name the clusters by their ids.
func ByClusterID() evidence.Run {
	in := Intent()
	for i := range in.Clusters {
		in.Clusters[i].RemoteName = in.Clusters[i].ID
	}
	return healthy(in)
}
