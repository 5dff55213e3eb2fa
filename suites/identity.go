package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerIdentity tells whether both sides trust the same root.
func registerIdentity(env *suite.Env) {
	ginkgo.Describe("Workload identity", func() { leaves(env, claim.Identity) })
}
