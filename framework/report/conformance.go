package report

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
)

// conformanceSchema is the version of conformance.yaml; docs/schema/conformance-v1.json is its published form.
const conformanceSchema = "meshproof.dev/conformance/v1"

// conformanceReport is conformance.yaml.
type conformanceReport struct {
	Schema        string                `json:"schema"`
	RunID         string                `json:"runID"`
	By            string                `json:"by,omitempty"`
	Where         string                `json:"where,omitempty"`
	Tool          string                `json:"tool,omitempty"`
	Began         time.Time             `json:"began"`
	Seconds       float64               `json:"seconds"`
	Verdict       claim.Verdict         `json:"verdict"`
	Reason        string                `json:"reason"`
	FalseFailRate float64               `json:"falseFailRate"`
	Intent        intent.Intent         `json:"intent"`
	Cells         []string              `json:"cells,omitempty"`
	Clusters      []fingerprint         `json:"clusters"`
	Claims        []claimSummary        `json:"claims"`
	Deviations    []deviation           `json:"deviations"`
	Images        string                `json:"images,omitempty"`
	StandIns      []string              `json:"standIns,omitempty"`
	Steps         []stepSummary         `json:"steps"`
	Unreadable    []evidence.Unreadable `json:"unreadable,omitempty"`
	Left          []string              `json:"left,omitempty"`
}

// fingerprint says what a cluster was.
type fingerprint struct {
	Name       string   `json:"name"`
	Server     string   `json:"server"`
	Kubernetes string   `json:"kubernetes"`
	Istiod     []string `json:"istiod"`
	Proxies    []string `json:"proxies"`
	Root       string   `json:"rootSHA256"`
}

type claimSummary struct {
	ID       string                   `json:"id"`
	Level    claim.Level              `json:"level"`
	Guide    string                   `json:"guide"`
	Sentence string                   `json:"sentence"`
	Subjects map[string]claim.Verdict `json:"subjects"`
}

type deviation struct {
	Step string `json:"step"`
	evidence.Deviation
}

type stepSummary struct {
	ID      string  `json:"id"`
	Cluster string  `json:"cluster,omitempty"`
	Title   string  `json:"title"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
	Skipped string  `json:"skipped,omitempty"`
}

func conformance(f Findings, run evidence.Run, x Extra) ([]byte, error) {
	r := conformanceReport{
		Schema: conformanceSchema, RunID: f.RunID, By: x.By, Where: x.Where, Tool: x.Tool, Verdict: f.Verdict, Reason: f.Reason, FalseFailRate: f.FalseFailRate,
		Intent: run.Intent, Cells: guide.Covered(run.Intent), Clusters: fingerprints(run), Claims: summaries(f.Findings), Images: x.Images, StandIns: x.StandIns,
		Unreadable: run.Unreadable, Left: x.Left, Deviations: deviations(run.Steps),
	}
	for _, s := range run.Steps {
		r.Steps = append(r.Steps, stepSummary{ID: s.ID, Cluster: s.Cluster, Title: s.Title, Seconds: round(s.Seconds), Error: s.Error, Skipped: s.Skipped})
	}
	began, seconds := evidence.Span(run.Steps)
	r.Began, r.Seconds = began.UTC(), round(seconds)
	out, err := yaml.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the conformance report: %w", err)
	}
	return pointless.ReplaceAll(out, []byte("${1}.0${2}")), nil
}

// pointless is a number such as 1e-08, which is a text to readers of YAML 1.1 (Python's among them): there it needs a point.
var pointless = regexp.MustCompile(`(?m)^([ -]*\w+: -?\d+)(e[-+]\d+)$`)

func round(seconds float64) float64 { return float64(int(seconds*1000+0.5)) / 1000 }

func deviations(steps []evidence.Step) []deviation {
	var all []deviation
	for _, s := range steps {
		for _, d := range s.Deviations {
			all = append(all, deviation{s.ID, d})
		}
	}
	return all
}

func summaries(findings []claim.Finding) []claimSummary {
	var all []claimSummary
	for _, f := range findings {
		at := slices.IndexFunc(all, func(c claimSummary) bool { return c.ID == f.Claim })
		if at < 0 {
			at = len(all)
			all = append(all, claimSummary{ID: f.Claim, Level: f.Level, Guide: f.Guide, Sentence: f.Sentence, Subjects: map[string]claim.Verdict{}})
		}
		all[at].Subjects[f.Subject] = f.Verdict
	}
	return all
}

func fingerprints(run evidence.Run) []fingerprint {
	var all []fingerprint
	for _, in := range run.Intent.Clusters {
		p := fingerprint{Name: in.Name}
		if c := run.Epochs[evidence.Joined].Clusters[in.Name]; c != nil {
			if k := c.Kubernetes; k != nil {
				p.Server, p.Kubernetes, p.Root = k.Server, k.Version, c.Root(run.Intent)
				p.Proxies = proxyImages(k.Pods)
			}
			for _, i := range c.Istiods {
				p.Istiod = append(p.Istiod, i.Revision+" "+i.Version)
			}
		}
		all = append(all, p)
	}
	return all
}

func proxyImages(pods []evidence.Pod) []string {
	var images []string
	for _, p := range pods {
		for _, c := range p.Containers {
			if c.Name == "istio-proxy" && !slices.Contains(images, c.Image) {
				images = append(images, c.Image)
			}
		}
	}
	return images
}
