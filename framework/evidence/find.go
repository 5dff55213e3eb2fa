package evidence

import (
	"slices"

	"github.com/meshproof/meshproof/framework/intent"
)

// Cluster gives what was seen of one cluster in one epoch; nil when nothing was.
func (r Run) Cluster(epoch, name string) *Cluster { return r.Epochs[epoch].Clusters[name] }

// Proxy gives the proxies of one role; none when c is nil.
func (c *Cluster) Proxy(role string) []Proxy {
	var found []Proxy
	if c == nil {
		return nil
	}
	for _, p := range c.Proxies {
		if p.Role == role {
			found = append(found, p)
		}
	}
	return found
}

// TrafficFor gives the calls of one purpose, and whether there were any.
func (c *Cluster) TrafficFor(purpose string) (Traffic, bool) {
	if c == nil {
		return Traffic{}, false
	}
	for _, t := range c.Traffic {
		if t.Purpose == purpose {
			return t, true
		}
	}
	return Traffic{}, false
}

// TrustsMeshRoot tells whether the proxy trusts the root that istiod publishes, alone or beside others: agents add the trust
// anchors of the mesh's configuration, and the config map has istiod's own root alone. Older evidence has only the sets' digests.
func (p Proxy) TrustsMeshRoot(k *Kubernetes) bool {
	if p.RootSHA256 == k.MeshRoot {
		return k.MeshRoot != ""
	}
	return len(k.MeshRoots) > 0 && !slices.ContainsFunc(k.MeshRoots, func(root string) bool { return !slices.Contains(p.Roots, root) })
}

// Root is the digest of the root that the cluster's mesh trusts: istiod's own where istiod signs, with the trust anchors that its
// proxies have beside it; else that of its proxies, because istiod then publishes a root for its own API alone. It is "" when it
// was not seen.
func (c *Cluster) Root(in intent.Intent) string {
	switch {
	case c == nil:
		return ""
	case in.IstiodSigns() && c.Kubernetes != nil:
		for _, p := range c.Proxies {
			if p.TrustsMeshRoot(c.Kubernetes) {
				return p.RootSHA256
			}
		}
		return c.Kubernetes.MeshRoot
	case in.IstiodSigns():
		return ""
	}
	for _, p := range c.Proxies {
		if p.RootSHA256 != "" {
			return p.RootSHA256
		}
	}
	return ""
}
