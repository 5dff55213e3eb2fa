package source

import (
	"io/fs"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// Probe is the image of the probe program.
func Probe(v versions.Versions) string { return own(v, "probe", smallModule) }

// CSR is the image of the stand-in for a fleet's certificate authority.
func CSR(v versions.Versions) string { return own(v, "csr", "istio") }

// RegistryProgram is the image of the registry inside the rig.
func RegistryProgram(v versions.Versions) string { return own(v, "registry", smallModule) }

// smallModule is the one that our small programs are built in.
const smallModule = "registry"

// own is the reference of the image of a small program of ours. Its tag changes with what its program is made from: a mirror, a cache
// or a node that holds another version's image under a name that stays would go on giving that one, and nobody would be told.
func own(v versions.Versions, program, module string) string {
	return Host + "/meshproof/" + program + ":" + madeFrom(v, program, module)
}

// ProbeMadeFrom is the tag of the probe's image, which the probe itself knows too.
func ProbeMadeFrom(v versions.Versions) string { return madeFrom(v, "probe", smallModule) }

// madeFrom condenses the source of a program of ours and the module that it is built in. The Go release and the architecture are left
// out: a program that builds nothing must come to the same.
func madeFrom(v versions.Versions, program, module string) string {
	m := v.Modules[module]
	in := []string{"made from", m.Path, m.Version, m.Sum}
	text, err := templates.ReadFile("templates/go.mod.tmpl")
	if err == nil {
		var programs fs.FS
		if programs, err = fs.Sub(fixtures.Programs, "programs"); err == nil {
			err = eachSource(unit{sources: programs, packages: under("./", program)}, func(name string, data []byte) error {
				in = append(in, name, string(data))
				return nil
			})
		}
	}
	if err != nil {
		return "" // embedded files are there; the tests of this package see it
	}
	return store.Key(append(in, string(text))...)
}
