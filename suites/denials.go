package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerDenials tells whether the mesh refuses whom it must refuse, and notices what is taken from it.
func registerDenials(env *suite.Env) {
	ginkgo.Describe("Denials", func() { leaves(env, claim.Denial) })
}
