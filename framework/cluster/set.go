package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Set is the mesh's clusters in the guide's order (CLUSTER_1 first).
type Set []*Cluster

// Each runs f for every cluster at once, waits for all, and joins the errors, each with the cluster's name.
func (s Set) Each(ctx context.Context, f func(ctx context.Context, c *Cluster) error) error {
	errs := make([]error, len(s))
	var all sync.WaitGroup
	for i, c := range s {
		all.Go(func() {
			if err := f(ctx, c); err != nil {
				errs[i] = fmt.Errorf("cluster %s: %w", c.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Peers gives every cluster but the one of that name, in order.
func (s Set) Peers(name string) Set {
	var peers Set
	for _, c := range s {
		if c.Name != name {
			peers = append(peers, c)
		}
	}
	return peers
}

// Named gives the cluster of that name, or nil.
func (s Set) Named(name string) *Cluster {
	for _, c := range s {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// ErrSameCluster is wrapped when two members of a set are one cluster.
var ErrSameCluster = errors.New("two names of one cluster")

// DistinctServers refuses a set in which two members have one API server, without asking it: the same address and the same
// certificate authority, reached the same way. It is for servers that cannot be asked; Distinct knows better, since one
// address may stand for many clusters.
func (s Set) DistinctServers() error {
	seen := map[string]string{}
	for _, c := range s {
		way := c.way()
		if other, same := seen[way]; same {
			return fmt.Errorf("%w: the kubeconfigs of clusters %s and %s lead to one API server (%s, with the same certificate authority): give kubeconfigs of different clusters",
				ErrSameCluster, other, c.Name, c.Server())
		}
		seen[way] = c.Name
	}
	return nil
}

// Distinct refuses a set in which two members are the same cluster, by the UID of kube-system.
func (s Set) Distinct(ctx context.Context) error {
	seen := map[string]string{}
	for _, c := range s {
		uid, err := c.UID(ctx)
		if err != nil {
			return err
		}
		if other, same := seen[uid]; same {
			return fmt.Errorf("%w: clusters %s and %s are one and the same (kube-system has UID %s in both): give kubeconfigs of different clusters",
				ErrSameCluster, other, c.Name, uid)
		}
		seen[uid] = c.Name
	}
	return nil
}
