package verify

import (
	"context"
	"sync"

	"github.com/meshproof/meshproof/framework/collect"
	"github.com/meshproof/meshproof/framework/evidence"
)

// readLogs adds what the control planes logged beside information to a snapshot, once: the wait for the mesh to settle has no
// use for it.
func readLogs(ctx context.Context, o Options, snapshot map[string]*evidence.Cluster) {
	if !o.Intent.Logs {
		return
	}
	var all sync.WaitGroup
	for _, c := range o.Set {
		seen := snapshot[c.Name]
		if seen == nil {
			continue
		}
		all.Go(func() {
			logs, problems := collect.Logs(ctx, c, o.Collect)
			seen.Logs, seen.Problems = logs, append(seen.Problems, problems...)
		})
	}
	all.Wait()
}
