package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerDiscovery tells whether each side knows the other's endpoints, through its gateway only.
func registerDiscovery(env *suite.Env) {
	ginkgo.Describe("Endpoint discovery", func() { leaves(env, claim.Discovery) })
}
