package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/procedure"
)

// Tools are a real asmcli and gcloud, and how the built-in join, which stands in for them, names a cluster.
type Tools struct {
	// Asmcli and Gcloud are the paths of the programs; "" = the built-in join performs S8, and S1 is given its answer.
	Asmcli, Gcloud string
	// RemoteNames says after what a cluster is named in the others' remote secrets; "" = after its context.
	RemoteNames RemoteNames
}

// RemoteNames says after what a cluster is named in the others' remote secrets.
type RemoteNames string

// ByContext is asmcli's way, ByClusterID has them agree with what the proxies say of themselves.
const (
	ByContext   RemoteNames = "context"
	ByClusterID RemoteNames = "cluster-id"
)

// checkTools refuses tools that could not be used, as far as the flags tell.
func (o Options) checkTools() error {
	t := o.Tools
	var errs []error
	switch {
	case t.Asmcli == "" && t.Gcloud == "":
	case t.Asmcli == "" || t.Gcloud == "":
		errs = append(errs, errors.New("--asmcli and --gcloud: asmcli calls gcloud, and step S1 alone makes no mesh: give both, or neither"))
	case len(o.Targets) == 0:
		errs = append(errs, errors.New("--asmcli is for given clusters: kind clusters are members of no fleet, and a real asmcli would register them in one: give --kubeconfig, or leave it out"))
	case o.ReleaseDir == "":
		errs = append(errs, errors.New("--asmcli needs the release that it belongs to: give its output directory with --release-dir"))
	}
	switch t.RemoteNames {
	case "", ByContext:
	case ByClusterID:
		if t.Asmcli != "" {
			errs = append(errs, errors.New("--remote-names cluster-id: asmcli names a cluster after its context, and nothing changes that: leave one of them out"))
		}
		for _, name := range o.kindNames() {
			if len(o.Targets) == 0 {
				_, err := o.remoteName(name, "", intent.ClusterID(o.Fleet, name))
				errs = append(errs, err)
			}
		}
	default:
		errs = append(errs, fmt.Errorf("--remote-names %q: use context or cluster-id", t.RemoteNames))
	}
	return errors.Join(errs...)
}

// remoteName is the name under which the other clusters are to know one with this context and this id.
func (o Options) remoteName(name, context, id string) (string, error) {
	if o.Tools.RemoteNames != ByClusterID {
		return procedure.RemoteName(context), nil
	}
	if !procedure.Nameable(id) {
		return "", &UsageError{fmt.Errorf("--remote-names cluster-id: cluster %s has the id %q, which cannot be the name of a remote secret: give --remote-names context", name, id)}
	}
	return id, nil
}

// Asm says which real tools are driven, and where they work.
func (o Options) Asm() (asm.Options, error) {
	o, err := o.placed()
	if err != nil {
		return asm.Options{}, err
	}
	dir, err := filepath.Abs(o.dir())
	if err != nil {
		return asm.Options{}, err
	}
	releaseDir, err := filepath.Abs(o.ReleaseDir)
	return asm.Options{Asmcli: o.Tools.Asmcli, Gcloud: o.Tools.Gcloud, Dir: filepath.Join(dir, "asmcli"), ReleaseDir: releaseDir}, err
}

// openTools checks the tools and that they will do what the guide is about; nothing is changed.
func (s *Session) openTools(ctx context.Context) error {
	if s.o.Tools.Asmcli == "" {
		return nil
	}
	return s.bounded(ctx, "P11", "", "look at asmcli and gcloud", func(ctx context.Context) (err error) {
		o, err := s.o.Asm()
		if err != nil {
			return err
		}
		s.tools, err = asm.Open(ctx, o, s.limits.Script)
		if err != nil {
			return refused(err, asm.ErrUnfit)
		}
		if first := s.set[0]; asm.OnGoogleCloud(first.Context) {
			return &UsageError{fmt.Errorf("cluster %s: its context %s contains gke_, by which asmcli takes all clusters for ones on Google Cloud, which this guide is not about: "+
				"rename the context (%s)", first.Name, first.Context, procedure.Renaming(first.Kubeconfig, first.Context))}
		}
		s.intent.Asmcli = s.tools.Version
		return s.set.Each(ctx, registered)
	})
}

// registered refuses a cluster that is no member of a fleet: asmcli would register it, which no run takes back, and two such
// clusters under one name.
func registered(ctx context.Context, c *cluster.Cluster) error {
	there, err := manifest.Exists(ctx, c, asm.Membership())
	if err != nil || there {
		return err
	}
	return &UsageError{fmt.Errorf("it is registered in no fleet (there is no %s): asmcli would register it, which no run takes back, and two such clusters under one name: "+
		"register it first (gcloud container fleet memberships register)", asm.Membership())}
}

// plannedTools says who performs S1 and S8.
func (s *Session) plannedTools() []string {
	if s.tools == nil {
		return nil
	}
	return []string{strings.Join([]string{"tools      asmcli " + s.tools.Version, s.o.Tools.Asmcli, s.o.Tools.Gcloud}, ", ")}
}
