package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerGateway tells whether each east-west gateway is ready for the other cluster.
func registerGateway(env *suite.Env) {
	ginkgo.Describe("East-west gateway readiness", func() { leaves(env, claim.Gateway) })
}
