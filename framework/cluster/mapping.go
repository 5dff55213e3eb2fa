package cluster

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// patience bounds each request of which a caller's context is no bound, or one that is far too long.
const patience = 20 * time.Second

// mapper asks the API server for its kinds once. Its client has a limit of its own: client-go's discovery takes no context.
func mapper(cfg *rest.Config) (*restmapper.DeferredDiscoveryRESTMapper, error) {
	own := rest.CopyConfig(cfg)
	own.Timeout = patience
	client, err := discovery.NewDiscoveryClientForConfig(own)
	if err != nil {
		return nil, err
	}
	return restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client)), nil
}

// Mapping gives the resource of a kind; without a version, in the one that the API server prefers. A kind that is not known is asked
// for once more: it may have been installed since. The error is meta.IsNoMatchError's when the API server does not have it.
func (c *Cluster) Mapping(ctx context.Context, kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	type answer struct {
		mapping *meta.RESTMapping
		err     error
	}
	asked := make(chan answer, 1) // so that the question ends also when nobody waits for it any more
	go func() {
		m, err := c.mapper.RESTMapping(kind, versions...)
		if meta.IsNoMatchError(err) {
			c.mapper.Reset()
			m, err = c.mapper.RESTMapping(kind, versions...)
		}
		asked <- answer{m, err}
	}()
	select {
	case a := <-asked:
		return a.mapping, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("ask the API server of cluster %s (%s) for its kinds: %w", c.Name, c.Server(), context.Cause(ctx))
	}
}
