package procedure

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/shell"
)

// RemoteNames gives the clusters of the intent with the names under which the others' remote secrets know them, as far as that
// can be known: a name that asmcli or the mesh would give, else the one whose secret leads to the cluster's API server.
func RemoteNames(ctx context.Context, set cluster.Set, in intent.Intent) ([]intent.Cluster, error) {
	all := slices.Clone(in.Clusters)
	for i, c := range set {
		for _, other := range set.Peers(c.Name) {
			names, err := known(ctx, other)
			if err != nil {
				return nil, err
			}
			there := slices.Collect(maps.Values(names))
			switch {
			case slices.Contains(there, all[i].RemoteName):
			case slices.Contains(there, all[i].ID):
				all[i].RemoteName = all[i].ID
			default:
				maps.DeleteFunc(names, func(_, name string) bool { return taken(name, in.Peers(c.Name)) })
				name, err := leadingTo(ctx, c, other, names)
				if err != nil {
					return nil, err
				}
				if name != "" {
					all[i].RemoteName = name
				}
			}
		}
	}
	return all, nil
}

// Renaming is the command that gives a cluster's context another name, in the kubeconfig that was given: in the caller's own it would be
// another one, or none.
func Renaming(kubeconfig, context string) string {
	return fmt.Sprintf("KUBECONFIG=%s kubectl config rename-context %s NAME", shell.Word(kubeconfig), shell.Word(context))
}

// taken tells whether a name is that of one of these clusters.
func taken(name string, by []intent.Cluster) bool {
	return slices.ContainsFunc(by, func(c intent.Cluster) bool { return name == c.RemoteName || name == c.ID })
}

// leadingTo gives the one name of a remote secret on a cluster whose kubeconfig leads to the API server of c; "" when there is none
// or more than one. names are those in question, by the names of their secrets.
func leadingTo(ctx context.Context, c, on *cluster.Cluster, names map[string]string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	servers, err := collect.RemoteServers(ctx, on, istioSystem)
	if err != nil {
		return "", fmt.Errorf("read the servers of the remote secrets on cluster %s: %w", on.Name, cluster.Access(err))
	}
	own, err := collect.APIServers(ctx, c)
	if err != nil {
		return "", fmt.Errorf("read the addresses of the API server of cluster %s: %w", c.Name, cluster.Access(err))
	}
	own = append(own, evidence.HostPort(c.Server()))
	found := map[string]bool{}
	for secret, name := range names {
		if slices.ContainsFunc(servers, func(s evidence.RemoteServer) bool {
			return s.Secret == istioSystem+"/"+secret && slices.Contains(own, evidence.HostPort(s.Server))
		}) {
			found[name] = true
		}
	}
	if len(found) != 1 {
		return "", nil
	}
	return slices.Collect(maps.Keys(found))[0], nil
}
