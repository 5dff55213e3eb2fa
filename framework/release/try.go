package release

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/shell"
)

// Gateway is what the gateway's script is told of a cluster.
type Gateway struct{ Mesh, Cluster, Network, Revision string }

// Try runs the gateway's script as the guide's step S6 does, and looks at what it prints; nothing is installed. A script that
// complains on its standard output, prints nothing, lacks a program of the machine's or never ends would be noticed by nobody before
// istioctl, which installs its default profile where it is given nothing.
func (d *Dir) Try(ctx context.Context, g Gateway, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not end within %s", limit))
	defer cancel()
	r, err := shell.Run(ctx, shell.Command{
		Args: []string{"./" + GatewayScript, "--mesh", g.Mesh, "--cluster", g.Cluster, "--network", g.Network, "--revision", g.Revision},
		Dir:  d.Path, Env: shell.Bare(os.TempDir()),
	})
	switch said := strings.Join(strings.Fields(r.Stderr), " "); {
	case err == nil:
		err = operator(r.Stdout)
	case said != "":
		const shown = 300
		err = fmt.Errorf("%w: %s", err, said[max(0, len(said)-shown):])
	}
	if err != nil {
		return fmt.Errorf("try %s in %s: %w", GatewayScript, d.Path, err)
	}
	return nil
}

// operator refuses text that is not the one document which istioctl expects.
func operator(text string) error {
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("it prints nothing")
	}
	var o struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(text), &o); err != nil || o.Kind != "IstioOperator" {
		first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
		const shown = 80
		return fmt.Errorf("it prints no IstioOperator, but %q", first[:min(len(first), shown)])
	}
	return nil
}
