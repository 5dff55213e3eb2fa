package images

import (
	"strings"
	"sync"

	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

// ProbeRef is the image of the probe program of this version: `probe wait`, and `probe dial [--timeout 5s] ADDRESS:PORT...`.
func ProbeRef() string { return source.Probe(embedded()) }

// ProbeMadeFrom is what that probe says that it is made from; it is the image's tag too.
func ProbeMadeFrom() string { return probeMadeFrom() }

// probeMadeFrom is asked for with every look at a mesh, and condenses source.
var probeMadeFrom = sync.OnceValue(func() string { return source.ProbeMadeFrom(embedded()) })

// CSRRef is the image of the stand-in for a fleet's certificate authority.
func CSRRef() string { return source.CSR(embedded()) }

// embedded gives the pinned versions. The embedded file is checked by this package's tests.
func embedded() versions.Versions {
	v, _ := load()
	return v
}

// ProbeImage is the image of the suite's own pods where a person gave one, or "" for the rig's. One without a tag and a digest gets the
// tag that this version's probe has, which is that under which Push pushes it.
func ProbeImage(given string) string {
	switch name := given[strings.LastIndex(given, "/")+1:]; {
	case given == "":
		return ProbeRef()
	case strings.ContainsAny(name, ":@"):
		return given
	}
	return given + ":" + ProbeMadeFrom()
}
