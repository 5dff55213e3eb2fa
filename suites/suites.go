// Package suites is the tree of specs: one file per area, whose leaves are the area's claims. Everything is acted and
// collected before the tree runs; a leaf looks up its findings and says whether they hold.
package suites

import (
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/suite"
)

// Register builds the tree for one run. It is called once per process, by cmd/meshproof or by this package's test.
func Register(env *suite.Env) {
	registerSetup(env)
	registerGateway(env)
	registerDiscovery(env)
	registerIdentity(env)
	registerDenials(env)
	registerSplit(env)
	registerRecovery(env)
	registerLifecycle(env)
	registerPrinted(env)
}

// leaves makes one spec per claim of the area, in the order of the list.
func leaves(env *suite.Env, area claim.Area) {
	for _, c := range claim.All() {
		if c.Area != area {
			continue
		}
		ginkgo.It(c.Sentence+" ["+c.ID+"]", suite.Labels(c), func() {
			found := env.Findings(c.ID)
			suite.SkipIfNotClaimed(found)
			gomega.Expect(found).To(suite.Hold())
		})
	}
}
