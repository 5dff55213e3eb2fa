package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerRecovery tells whether the mesh comes back from failures, and what they cost.
func registerRecovery(env *suite.Env) {
	ginkgo.Describe("Recovery from failures", func() { leaves(env, claim.Recovery) })
}
