package suites_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
	"github.com/meshproof/meshproof/framework/suite"
	"github.com/meshproof/meshproof/suites"
)

// TestSuites runs the tree under go test or the ginkgo CLI on clusters that hold a mesh:
//
//	MESHPROOF_KUBECONFIGS=east.yaml:west.yaml ginkgo ./suites
//
// It is a run as `meshproof run` does it with its defaults; MESHPROOF_REPORT_DIR says where the report goes. What else has a flag, has it there.
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
		t.Chdir("..") // where whoever calls ginkgo is: for the report, and for paths
		env.Outcome, env.Err = run(t, kubeconfigs)
	}
	suites.Register(env)
	ginkgo.RunSpecs(t, "meshproof", suiteConfig, reporterConfig)
	if env.Err != nil {
		t.Error(env.Err)
	}
}

// run does the run, tells on standard error what is being done, and at the end the verdict: ginkgo passes that on at once.
func run(t *testing.T, kubeconfigs []string) (session.Outcome, error) {
	tell := progress.Open(progress.Options{Out: os.Stdout, Err: os.Stderr})
	defer tell.Close()
	o := session.Options{Revision: "asm-1232-2", Samples: 600, Alpha: 1e-8, Tell: tell, ReportDir: os.Getenv("MESHPROOF_REPORT_DIR")}
	for _, k := range kubeconfigs {
		o.Targets = append(o.Targets, session.Target{Kubeconfigs: []string{k}})
	}
	s, err := session.New(o)
	if err != nil {
		return session.Outcome{}, err
	}
	out, err := s.Run(t.Context())
	if found := out.Findings; found.Verdict != "" {
		tell.Note(fmt.Sprintf("verdict: %s: %s; report: %s", found.Verdict, found.Reason, out.ReportDir))
	}
	return out, err
}
