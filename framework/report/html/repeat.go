package html

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

// unsaid names the flags that a command from the intent alone lacks: paths are of the machine that ran it, and no part of what a run
// expects.
func unsaid(in intent.Intent) string {
	if in.Provision != intent.Supplied {
		return ""
	}
	flags := "the kubeconfigs and contexts of these clusters, and --release-dir and --probe-image where they were given"
	if in.Asmcli != "" {
		flags += "; --asmcli and --gcloud were given"
	}
	return " (with " + flags + ")"
}

// repeat is the command that expects the same mesh again.
func repeat(in intent.Intent) string {
	parts := []string{"meshproof run"}
	switch {
	case in.Provision == intent.Supplied:
		for _, c := range in.Clusters {
			parts = append(parts, "--kubeconfig "+shell.Word(c.Name+".yaml"))
		}
	case len(in.Clusters) > guide.Clusters:
		parts = append(parts, fmt.Sprintf("--clusters %d", len(in.Clusters)))
	}
	if in.Platform != "" && in.Platform != kind && in.Platform != intent.UnspecifiedPlatform {
		parts = append(parts, "--platform "+shell.Word(in.Platform))
	}
	if !in.IstiodSigns() {
		parts = append(parts, "--ca "+shell.Word(in.CA))
	}
	if in.Mode == intent.Literal {
		parts = append(parts, "--mode "+string(in.Mode))
	}
	if len(in.Expect) > 0 {
		parts = append(parts, "--expect "+shell.Word(strings.Join(in.Expect, ",")))
	}
	for _, f := range []fact{{"revision", in.Revision}, {"fleet", in.Fleet}, {"project-number", in.ProjectNumber}, {"namespace", in.SampleNamespace}} {
		if f.Value != "" {
			parts = append(parts, "--"+f.Name+" "+shell.Word(f.Value))
		}
	}
	parts = append(parts, fmt.Sprintf("--samples %d", in.Samples), "--alpha "+strconv.FormatFloat(in.Alpha, 'g', -1, 64))
	if in.From != "" {
		parts = append(parts, "--from "+string(in.From))
	}
	if in.ReadOnly {
		parts = append(parts, "--read-only")
	}
	parts = append(parts, disruptive(in)...)
	parts = append(parts, chosen(in)...)
	for _, fault := range in.Planted {
		parts = append(parts, "--plant "+shell.Word(fault))
	}
	return strings.Join(parts, " ")
}

// disruptive says what is done to the mesh on purpose, where that is not the default: all of it, or these. What is not done because
// its claim was left out is said by chosen.
func disruptive(in intent.Intent) []string {
	done := slices.Concat(in.Disruptions, in.Injections)
	if len(done) == 0 {
		if in.Provision == intent.Kind {
			return []string{"--disruptive=false"}
		}
		return nil
	}
	for _, id := range slices.Concat(claim.Disruptions(), claim.Injections()) {
		if _, out := in.LeftOut[claim.OfDisruption(id)]; !out && !slices.Contains(done, id) {
			return []string{"--disruptive", "--disruption " + shell.Word(strings.Join(done, ","))}
		}
	}
	return []string{"--disruptive"}
}

// chosen gives the flag that leaves out the same claims: the shorter of two lists of ids.
func chosen(in intent.Intent) []string {
	if len(in.LeftOut) == 0 {
		return nil
	}
	var asked, out []string
	for _, c := range claim.All() {
		id := regexp.QuoteMeta(c.ID)
		if _, left := in.LeftOut[c.ID]; left {
			out = append(out, id)
		} else {
			asked = append(asked, id)
		}
	}
	flag, ids := "--skip ", out
	if len(asked) < len(out) {
		flag, ids = "--focus ", asked
	}
	return []string{flag + shell.Word("^("+strings.Join(ids, "|")+")$")}
}
