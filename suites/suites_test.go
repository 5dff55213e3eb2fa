package suites_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/suite"
	"github.com/meshproof/meshproof/suites"
)

// TestSuites runs the tree under go test or the ginkgo CLI on clusters that hold a mesh:
//
//	MESHPROOF_KUBECONFIGS=east.yaml:west.yaml ginkgo ./suites
//
// Without that variable it walks the tree dry and starts nothing.
func TestSuites(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	kubeconfigs := filepath.SplitList(os.Getenv("MESHPROOF_KUBECONFIGS"))
	suiteConfig.DryRun = suiteConfig.DryRun || len(kubeconfigs) == 0
	env := &suite.Env{}
	if !suiteConfig.DryRun {
		if suiteConfig.ParallelTotal > 1 {
			t.Fatal("the run is done once: give ginkgo no -p and no --procs")
		}
		env.Outcome, env.Err = run(t, kubeconfigs)
	}
	suites.Register(env)
	ginkgo.RunSpecs(t, "meshproof", suiteConfig, reporterConfig)
	if env.Err != nil {
		t.Error(env.Err)
	}
}

func run(t *testing.T, kubeconfigs []string) (session.Outcome, error) {
	o := session.Options{Revision: "asm-1232-2", Samples: 600, Alpha: 1e-8, Tell: teller{t}, ReportDir: os.Getenv("MESHPROOF_REPORT_DIR")}
	for _, k := range kubeconfigs {
		o.Targets = append(o.Targets, session.Target{Kubeconfigs: []string{k}})
	}
	s, err := session.New(o)
	if err != nil {
		return session.Outcome{}, err
	}
	return s.Run(t.Context())
}

type teller struct{ t *testing.T }

func (l teller) Note(what string) { l.t.Log(what) }

func (l teller) Doing(string, string) {}

func (l teller) Progress(session.Progress) {}

func (l teller) Done(cluster, what string, took time.Duration, err error) {
	l.t.Logf("%s %s %s %v", cluster, what, took.Round(time.Millisecond), err)
}
