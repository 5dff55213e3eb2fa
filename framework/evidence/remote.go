package evidence

import (
	"net"
	"net/url"
	"time"
)

// RemoteServer is where one kubeconfig in a remote secret points. Nothing else of a kubeconfig is ever kept.
type RemoteServer struct {
	// Secret is NAMESPACE/NAME.
	Secret string `json:"secret"`
	// Cluster is the kubeconfig's key, which is the name that istiod gives to the cluster; empty when the secret holds none.
	Cluster string `json:"cluster,omitempty"`
	// Server is SCHEME://HOST:PORT of the API server; empty when none can be read.
	Server string `json:"server,omitempty"`
	// Problem is why no server can be read, in words of ours: what the kubeconfig holds is not quoted.
	Problem string `json:"problem,omitempty"`
}

// Metric is one sample of istiod's /metrics.
type Metric struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
	Value  float64           `json:"value"`
}

// Names of the metrics that are kept (istio's pkg/kube/multicluster/secretcontroller.go).
const (
	// MetricManaged counts the clusters that a replica manages, by label cluster_type: local or remote.
	MetricManaged = "istiod_managed_clusters"
	// MetricSecretEvents counts events about remote secrets, by label event: add, update, delete.
	MetricSecretEvents = "remote_cluster_secret_events_total"
	// MetricTimeouts counts remote clusters that were not read in time, by label cluster; it appears with the first.
	MetricTimeouts = "remote_cluster_sync_timeouts_total"
	// MetricSyncStatus is 1 for the state that a remote cluster is in, by labels cluster and status. Older istiods lack it.
	MetricSyncStatus = "istiod_remote_cluster_sync_status"
)

// Sum adds the values of a metric over the samples that have the label's value; label "" means all of them. There tells
// whether any has it.
func (i Istiod) Sum(metric, label, value string) (sum float64, there bool) {
	for _, m := range i.Metrics {
		if m.Name == metric && (label == "" || m.Labels[label] == value) {
			sum, there = sum+m.Value, true
		}
	}
	return sum, there
}

// Complaint is one kind of trouble that a replica's log reports with one remote cluster. Only the cluster's name, the kind
// and the times are kept: a message may quote what a kubeconfig holds.
type Complaint struct {
	Cluster string  `json:"cluster"`
	Trouble Trouble `json:"trouble"`
	// Count of the lines in the part of the log that was read.
	Count int `json:"count"`
	// Last is when the newest of them was written; the zero time when its line does not say.
	Last time.Time `json:"last"`
}

// Trouble is a kind of complaint.
type Trouble string

// Kinds of trouble. The first five are answers of some server, or that there is none.
const (
	// Forbidden: the API server knows the account and does not let it read.
	Forbidden Trouble = "forbidden"
	// Unauthorized: the API server does not take the token.
	Unauthorized Trouble = "unauthorized"
	// Untrusted: whoever answers shows a certificate that the kubeconfig's CA did not sign.
	Untrusted Trouble = "certificate not trusted"
	// Unreached: nobody answers: refused, no route, timed out, no such host.
	Unreached Trouble = "not reached"
	// Unread is an error of a read that is none of the above.
	Unread Trouble = "not read"
	// Unusable: istiod cannot make a client from the kubeconfig.
	Unusable Trouble = "kubeconfig not usable"
	// Undeleted: the registry of a deleted cluster was left in place, after which the secret controller may block.
	Undeleted Trouble = "registry not deleted"
)

// HostPort gives host:port of an API server's URL, with the scheme's port where none is written; "" when it is no URL.
func HostPort(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
