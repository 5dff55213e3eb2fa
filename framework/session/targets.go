package session

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/nearest"
)

// Target is a cluster that is given.
type Target struct {
	// Kubeconfigs are one file, or several that are merged as kubectl merges those of KUBECONFIG; Context is one of their
	// contexts ("" = the current one).
	Kubeconfigs []string
	Context     string
	// Name is the cluster's name in the report; "" = cluster-1, cluster-2.
	Name string
	// Network, if given, is what the cluster's mesh must say.
	Network string
	// Platform, CA and Revision are the same for all clusters of a mesh; "" = not said.
	Platform, CA, Revision string
}

// Given is what a person says of clusters that are given.
type Given struct {
	Kubeconfigs, Contexts []string
	// Topology is a file that says it all.
	Topology string
	// Environment is the value of KUBECONFIG.
	Environment string
	// Platform and CA are what was said for all clusters; "" = the topology may say it.
	Platform, CA string
}

// Targets pairs what was said. Nothing said is no target: the run makes clusters itself.
func (g Given) Targets() ([]Target, error) {
	targets, err := g.targets()
	if err == nil && len(targets) > 0 {
		if err = g.ofCell(targets); err != nil && g.Topology != "" {
			err = fmt.Errorf("read topology %s: %w", g.Topology, err)
		}
	}
	if err != nil {
		return nil, &UsageError{err}
	}
	return targets, nil
}

// ofCell gives the targets the platform and the CA that were said, and refuses what the topology says otherwise.
func (g Given) ofCell(targets []Target) error {
	for i := range targets {
		t := &targets[i]
		for _, v := range []struct {
			flag, said string
			own        *string
		}{{"--platform", g.Platform, &t.Platform}, {"--ca", g.CA, &t.CA}} {
			if v.said != "" && *v.own != "" && *v.own != v.said {
				return fmt.Errorf("%s %s: it says %s: give one of them, or both the same", v.flag, v.said, *v.own)
			}
			*v.own = cmp.Or(*v.own, v.said)
		}
	}
	return oneMesh(targets)
}

func (g Given) targets() ([]Target, error) {
	switch {
	case g.Topology != "" && len(g.Kubeconfigs)+len(g.Contexts) > 0:
		return nil, errors.New("--topology names the clusters, and so do --kubeconfig and --context: give one or the other")
	case g.Topology != "":
		return readTopology(g.Topology)
	case slices.Contains(g.Kubeconfigs, ""):
		return nil, errors.New("--kubeconfig: the path is empty: give the path of a kubeconfig")
	case len(g.Kubeconfigs) == 0 && len(g.Contexts) > 0:
		return g.merged()
	case len(g.Contexts) > 0 && len(g.Contexts) != len(g.Kubeconfigs):
		return nil, errors.New("--context: give one for each --kubeconfig, in the same order, or none")
	}
	var all []Target
	for i, k := range g.Kubeconfigs {
		t := Target{Kubeconfigs: []string{k}}
		if len(g.Contexts) > 0 {
			t.Context = g.Contexts[i]
		}
		all = append(all, t)
	}
	return all, nil
}

// merged takes contexts from the files of KUBECONFIG. Nothing is taken from there that was not named.
func (g Given) merged() ([]Target, error) {
	var files []string
	for _, f := range filepath.SplitList(g.Environment) {
		if f != "" {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("--context without --kubeconfig takes the contexts from KUBECONFIG, which is not set: set it, or give --kubeconfig for each context")
	}
	if n := len(g.Contexts); n < guide.Clusters {
		return nil, fmt.Errorf("--context: %d contexts of KUBECONFIG are chosen: give --context %d times or more, CLUSTER_1 first", n, guide.Clusters)
	}
	var all []Target
	for _, c := range g.Contexts {
		all = append(all, Target{Kubeconfigs: files, Context: c})
	}
	return all, nil
}

// topology is the file of --topology.
type topology struct {
	Clusters []topologyCluster `json:"clusters"`
}

type topologyCluster struct {
	Name       string `json:"name"`
	Network    string `json:"network"`
	Platform   string `json:"platform"`
	CA         string `json:"ca"`
	Revision   string `json:"revision"`
	Kubeconfig string `json:"kubeconfig"`
	Context    string `json:"context"`
}

// readTopology reads the file. A relative kubeconfig is relative to it, as paths in a kubeconfig are to theirs.
func readTopology(path string) ([]Target, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the topology: %w: give a file that says clusters, each with a kubeconfig", err)
	}
	var t topology
	if err := yaml.UnmarshalStrict(text, &t); err != nil {
		return nil, fmt.Errorf("read topology %s: %w", path, explainKey(err))
	}
	var all []Target
	for i, c := range t.Clusters {
		if c.Kubeconfig == "" {
			return nil, fmt.Errorf("read topology %s: cluster %d (%s) has no kubeconfig: name a file", path, i+1, c.Name)
		}
		if !filepath.IsAbs(c.Kubeconfig) {
			c.Kubeconfig = filepath.Join(filepath.Dir(path), c.Kubeconfig)
		}
		all = append(all, Target{
			Kubeconfigs: []string{c.Kubeconfig}, Context: c.Context, Name: c.Name, Network: c.Network,
			Platform: c.Platform, CA: c.CA, Revision: c.Revision,
		})
	}
	if len(all) < guide.Clusters {
		return nil, fmt.Errorf("read topology %s: it names %d clusters: name %d or more", path, len(all), guide.Clusters)
	}
	return all, nil
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// explainKey names the key that a misspelt one is nearest to.
func explainKey(err error) error {
	parts := unknownField.FindStringSubmatch(err.Error())
	if parts == nil {
		return fmt.Errorf("%s: correct the file", strings.Join(strings.Fields(err.Error()), " "))
	}
	var known []string
	for _, of := range []any{topology{}, topologyCluster{}} {
		for f := range reflect.TypeOf(of).Fields() {
			known = append(known, f.Tag.Get("json"))
		}
	}
	key := parts[1][strings.LastIndexByte(parts[1], '.')+1:]
	return fmt.Errorf("there is no key %q: the keys are %s%s", key, strings.Join(known, ", "), nearest.Hint(key, known))
}

// oneMesh refuses clusters that cannot be one mesh: create-mesh wants the same platform everywhere, and the guide has one CA
// and one revision.
func oneMesh(all []Target) error {
	first := all[0]
	networks := map[string]bool{first.Network: true}
	for _, t := range all[1:] {
		if t.Network != "" && networks[t.Network] {
			return fmt.Errorf("two clusters are on network %q: the gateways would be by-passed (finding F1): give each its own network", t.Network)
		}
		networks[t.Network] = true
		for _, v := range []struct{ what, one, other string }{
			{"platform", first.Platform, t.Platform}, {"ca", first.CA, t.CA}, {"revision", first.Revision, t.Revision},
		} {
			if v.one != v.other {
				return fmt.Errorf("the clusters differ in %s (%q and %q): the guide is about clusters of one %s: give both the same", v.what, v.one, v.other, v.what)
			}
		}
	}
	if first.Platform == "" && first.CA == "" {
		return nil
	}
	if first.Platform == "" {
		_, err := guide.Words(intent.UnspecifiedPlatform, first.CA)
		return err
	}
	m, err := guide.LoadMatrix()
	if err == nil {
		_, err = m.Cell(first.Platform, first.Authority())
	}
	return err
}

func (t Target) platform() string { return cmp.Or(t.Platform, intent.UnspecifiedPlatform) }

// Authority is the certificate authority of the target's mesh.
func (t Target) Authority() string { return cmp.Or(t.CA, intent.IstioCA) }

// Count refuses a number of given clusters that the guide is not about. None is right: then a run makes its own.
func Count(targets []Target) error {
	if n := len(targets); n != 0 && n < guide.Clusters {
		return &UsageError{fmt.Errorf("%d clusters are given: give --kubeconfig twice or more, or not at all for kind clusters", n)}
	}
	return nil
}

// Open opens the given clusters. Nothing is sent.
func Open(targets []Target) (cluster.Set, error) {
	var set cluster.Set
	for i, t := range targets {
		c, err := cluster.OpenMerged(cmp.Or(t.Name, fmt.Sprintf("cluster-%d", i+1)), t.Network, t.Kubeconfigs, t.Context)
		if err != nil {
			return nil, &UsageError{err}
		}
		set = append(set, c)
	}
	return set, nil
}
