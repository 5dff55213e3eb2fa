package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerDenials tells whether the gateways refuse whom they must refuse.
func registerDenials(env *suite.Env) {
	ginkgo.Describe("Denials at the gateway", func() { leaves(env, claim.Denial) })
}
