package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerSetup tells whether the guide could be followed, and left the mesh that it describes.
func registerSetup(env *suite.Env) {
	ginkgo.Describe("Following the guide", func() { leaves(env, claim.Setup) })
}
