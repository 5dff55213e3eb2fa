package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerPrinted tells whether the guide works as it is printed, in a run that follows the print.
func registerPrinted(env *suite.Env) {
	ginkgo.Describe("The guide as printed", func() { leaves(env, claim.Printed) })
}
