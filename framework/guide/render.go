package guide

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// Values are what stands for the guide's placeholders.
type Values struct {
	// Fleet is FLEET_PROJECT_ID.
	Fleet string
	// ProjectNumber replaces the call of gcloud in S1; "" = gcloud is called as printed.
	ProjectNumber string
	// Revision is REVISION: the istio.io/rev label of the control planes.
	Revision string
	// Namespace is where the guide's sample goes; "" = where the guide puts it.
	Namespace string
	// Words are those of the cell; see Words.
	Words map[string]string
	// Asmcli is the path of the asmcli that S8 calls; "" = there is none. OutputDir is a directory for it to work in.
	Asmcli, OutputDir string
	// Clusters in the guide's order.
	Clusters []Cluster
}

// Cluster are one cluster's values.
type Cluster struct {
	// ID is the mesh's name for the cluster: cn-FLEET-global-NAME where it has the guide's form.
	ID string
	// Kubeconfig is PATH_TO_KUBECONFIG_n.
	Kubeconfig string
	// Context is CLUSTERn_CONTEXT_NAME.
	Context string
	// Network is the network of the control plane.
	Network string
	// RemoteName is the name under which the cluster is known to the others.
	RemoteName string
}

// Deviation is one difference between the text that is run and the printed one.
type Deviation struct {
	// Printed is the guide's text; Run is what stands there instead.
	Printed, Run string
	Reason       string
	// Finding is the id of the finding that forces it; "" when it is the environment.
	Finding string
}

// Render gives the exact text for a shell, and how it differs from the printed one. A placeholder without a value, or
// with one that would not stay one word, is an error. Corrections that the findings of these ids force are made in every mode.
func Render(step Step, v Values, mode intent.Mode, found ...string) (script string, deviations []Deviation, err error) {
	if script, deviations, err = v.correct(step.Command, step.Corrections, mode, found); err != nil {
		return "", nil, fmt.Errorf("render step %s: %w", step.ID, err)
	}
	return script, deviations, nil
}

// correct gives a printed text with its corrections made and its placeholders filled.
func (v Values) correct(script string, corrections []Correction, mode intent.Mode, found []string) (string, []Deviation, error) {
	var deviations []Deviation
	for _, c := range corrections {
		if !slices.Contains(c.Modes, mode) && !slices.Contains(found, c.Finding) {
			continue
		}
		needed, err := v.holds(c.When)
		if err != nil {
			return "", nil, fmt.Errorf("correction %s: %w", c.ID, err)
		}
		if !needed {
			continue
		}
		if n := strings.Count(script, c.Printed); n != 1 {
			return "", nil, fmt.Errorf("correction %s: its printed fragment %q occurs %d times in the command, not once", c.ID, c.Printed, n)
		}
		run := c.Run
		switch {
		case c.PerPair:
			run = v.pairs(run)
		case c.PerFurther:
			run = c.Printed + v.further(run)
		}
		run = strings.ReplaceAll(run, everyKubeconfig, v.kubeconfigs())
		filled, err := v.fill(run)
		if err != nil {
			return "", nil, fmt.Errorf("correction %s: %w", c.ID, err)
		}
		if printed := v.cell(c.Printed); printed != filled {
			deviations = append(deviations, Deviation{Printed: printed, Run: filled, Reason: c.Reason, Finding: c.Finding})
		}
		script = strings.Replace(script, c.Printed, run, 1)
	}
	script, err := v.fill(script)
	return script, deviations, err
}

// RenderCheck gives the text of the command with which the guide has a step's result looked at on the cluster with
// ordinal n (from 1), or "" when it prints none, and how it differs from the printed one.
func RenderCheck(step Step, v Values, n int, mode intent.Mode) (script string, deviations []Deviation, err error) {
	if step.Check == nil {
		return "", nil, nil
	}
	printed := strings.ReplaceAll(step.Check.Command, "<n>", strconv.Itoa(n))
	if script, deviations, err = v.correct(printed, step.Check.Corrections, mode, nil); err != nil {
		return "", nil, fmt.Errorf("render the check of step %s: %w", step.ID, err)
	}
	return script, deviations, nil
}

// Pair is a correction's text for one ordered pair of clusters, by their ordinals from 1.
type Pair struct {
	From, To  int
	Script    string
	Deviation Deviation
}

// RenderPairs gives, one by one, the commands of a step's correction that is repeated per ordered pair; none when no
// such correction is needed.
func RenderPairs(step Step, v Values, mode intent.Mode) ([]Pair, error) {
	var all []Pair
	for _, c := range step.Corrections {
		needed, err := v.holds(c.When)
		if err != nil {
			return nil, fmt.Errorf("render step %s, correction %s: %w", step.ID, c.ID, err)
		}
		if !needed || !c.PerPair || !slices.Contains(c.Modes, mode) {
			continue
		}
		for _, p := range v.ordered() {
			if p.Script, err = v.fill(p.in(c.Run)); err != nil {
				return nil, fmt.Errorf("render step %s, correction %s: %w", step.ID, c.ID, err)
			}
			p.Deviation = Deviation{Printed: v.cell(c.Printed), Run: p.Script, Reason: c.Reason, Finding: c.Finding}
			all = append(all, p)
		}
	}
	return all, nil
}

func (p Pair) in(text string) string {
	return strings.NewReplacer("<from>", strconv.Itoa(p.From), "<to>", strconv.Itoa(p.To)).Replace(text)
}

func (v Values) ordered() []Pair {
	var all []Pair
	for from := range v.Clusters {
		for to := range v.Clusters {
			if from != to {
				all = append(all, Pair{From: from + 1, To: to + 1})
			}
		}
	}
	return all
}

// further repeats a text for each cluster that the guide does not have.
func (v Values) further(text string) string {
	var all strings.Builder
	for n := Clusters + 1; n <= len(v.Clusters); n++ {
		all.WriteString(strings.ReplaceAll(text, "<n>", strconv.Itoa(n)))
	}
	return all.String()
}

func (v Values) pairs(text string) string {
	var all []string
	for _, p := range v.ordered() {
		all = append(all, p.in(text))
	}
	return strings.Join(all, "\n")
}

// everyKubeconfig stands for the kubeconfigs of all clusters, however many there are.
const everyKubeconfig = "PATHS_TO_KUBECONFIGS"

func (v Values) kubeconfigs() string {
	var all []string
	for i := range v.Clusters {
		all = append(all, fmt.Sprintf("PATH_TO_KUBECONFIG_%d", i+1))
	}
	return strings.Join(all, " \\\n    ")
}

// holds tells whether a correction's condition is met.
func (v Values) holds(when string) (bool, error) {
	switch when {
	case "":
		return true, nil
	case "no-gcloud":
		return v.ProjectNumber != "", nil
	case "no-asmcli":
		return v.Asmcli == "", nil
	case "asmcli":
		return v.Asmcli != "", nil
	case "further-clusters":
		return len(v.Clusters) > Clusters, nil
	case "other-namespace":
		return v.namespace() != intent.GuideNamespace, nil
	case "further-clusters-by-asmcli":
		return v.Asmcli != "" && len(v.Clusters) > Clusters, nil
	}
	if n, ok := numbered(when, "further-cluster-"); ok {
		return n > Clusters, nil
	}
	if n, ok := numbered(when, "other-namespace-"); ok { // what a further cluster runs names it anyway
		return n <= Clusters && v.namespace() != intent.GuideNamespace, nil
	}
	n, ok := numbered(when, "other-cluster-id-")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", when)
	}
	if n < 1 || n > len(v.Clusters) {
		return false, fmt.Errorf("condition %q is about cluster %d, but %d are given", when, n, len(v.Clusters))
	}
	return v.name(n-1) == "", nil
}

// namespace is where the guide's sample goes.
func (v Values) namespace() string { return cmp.Or(v.Namespace, intent.GuideNamespace) }

// numbered gives the ordinal of a condition of that kind, and whether it is one.
func numbered(when, kind string) (n int, ok bool) {
	ordinal, ok := strings.CutPrefix(when, kind)
	n, err := strconv.Atoi(ordinal)
	return n, ok && err == nil
}

// name is CLUSTER_NAME_n, or "" when the cluster's ID does not have the printed form.
func (v Values) name(i int) string {
	name, ok := strings.CutPrefix(v.Clusters[i].ID, intent.ClusterID(v.Fleet, ""))
	if !ok {
		return ""
	}
	return name
}
