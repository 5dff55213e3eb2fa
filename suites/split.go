package suites

import (
	"github.com/onsi/ginkgo/v2"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// registerSplit tells how the calls were shared between the clusters, and by which way they went.
func registerSplit(env *suite.Env) {
	ginkgo.Describe("Cross-cluster load balancing", func() { leaves(env, claim.Split) })
}
