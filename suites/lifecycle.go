package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerLifecycle tells whether what is removed is gone everywhere.
func registerLifecycle(env *suite.Env) {
	ginkgo.Describe("Removal of the sample", func() { leaves(env, claim.Lifecycle) })
}
