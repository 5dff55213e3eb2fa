package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/session"
)

// TestTheCommandToUseCanBePasted: a shell reads paths and contexts as they are, and the run expects the mesh that was made, with the
// same images.
func TestTheCommandToUseCanBePasted(t *testing.T) {
	set := cluster.Set{{Kubeconfig: "/home/ann/My Clusters/east.yaml", Context: "admin@east;rm"}, {Kubeconfig: "/k/west.yaml", Context: "it's"}}
	const made = "meshproof run --kubeconfig '/home/ann/My Clusters/east.yaml' --kubeconfig /k/west.yaml"
	for want, o := range map[string]session.Options{
		made: {Revision: defaultRevision, Images: images.Options{Source: images.Auto}},
		made + " --context 'admin@east;rm' --context 'it'\\''s' --revision asm-9": {
			Revision: "asm-9", Targets: make([]session.Target, 2)},
		made + " --platform gke-vmware --ca mesh-ca": {Revision: defaultRevision, Platform: "gke-vmware", CA: "mesh-ca"},
		made + " --release-dir 'my asm' --images registry --registry registry.example/mesh --cache-dir '/big disk/cache'": {
			Revision: defaultRevision, ReleaseDir: "my asm", Images: images.Options{Source: "registry", Registry: "registry.example/mesh", CacheDir: "/big disk/cache"}},
		made + " --images source": {Revision: defaultRevision, Images: images.Options{Source: "source"}},
	} {
		if got := using(set, o); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestUpOnGivenClusters: it brings control planes where none is, and else is refused before anything is changed.
func TestUpOnGivenClusters(t *testing.T) {
	for args, says := range map[string]string{
		both:                                    "give --from install",
		both + " --from verify":                 "give --from install",
		both + " --from install --run-id r1":    "cluster-1: an Istio is there already: Namespace istio-system",
		both + " --from install --join":         "--join is for kind clusters",
		"--from gateway":                        "--from gateway is for given clusters",
		"--kubeconfig east.yaml --from install": "1 clusters are given",
	} {
		w := newWorld(t)
		c := upCommand()
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(strings.Fields(args))
		err := c.ExecuteContext(context.Background())
		if codeOf(err) != exitcode.Usage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want one that says %q", args, err, says)
		}
		left, globErr := filepath.Glob("state/meshproof/runs/*")
		if globErr != nil || len(left) != 0 {
			t.Errorf("%s: left %q, %v", args, left, globErr)
		}
		w.unchanged(w.tree()) // no cluster was written to
	}
}
