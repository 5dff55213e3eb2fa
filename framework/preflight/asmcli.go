package preflight

import (
	"context"
	"os/exec"

	"github.com/meshproof/meshproof/framework/mesh/asm"
)

// Asmcli is a real asmcli that the run would drive, and what it finds on this machine.
type Asmcli struct {
	Version Seen[string]
	// Lacking are the programs that it needs and that are not on the PATH.
	Lacking []string
	// Kpt is the version of the kpt on the PATH; exec.ErrNotFound = there is none.
	Kpt Seen[string]
	// Downloads tells that it would be called as the guide prints it, without --offline.
	Downloads bool
}

func readAsmcli(ctx context.Context, o asm.Options, literal bool) *Asmcli {
	a := &Asmcli{Downloads: literal}
	d, err := asm.Open(ctx, o, toolLimit)
	if a.Version.Err = err; err == nil {
		a.Version.Value = d.Version
	}
	for _, name := range asm.Needs(literal) {
		if _, err := exec.LookPath(name); err != nil {
			a.Lacking = append(a.Lacking, name)
		}
	}
	a.Kpt = seen(printed(ctx, "kpt", "version"))
	return a
}
