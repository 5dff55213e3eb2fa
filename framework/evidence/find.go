package evidence

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
