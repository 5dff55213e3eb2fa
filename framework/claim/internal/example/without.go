package example

import (
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Without takes one file out of a run, as an evidence folder does whose file was changed, and names it as unreadable.
func Without(run evidence.Run, file string) evidence.Run {
	run.Unreadable = append(run.Unreadable, evidence.Unreadable{File: file, Reason: "changed: its SHA-256 is not the one in the seal"})
	switch file {
	case evidence.StepsFile:
		run.Steps = nil
	case evidence.IntentFile:
		run.Intent.Clusters = nil
	}
	parts := strings.Split(file, "/")
	if len(parts) != 3 {
		return run
	}
	c := run.Epochs[parts[0]].Clusters[parts[1]]
	if c == nil {
		return run
	}
	switch file {
	case evidence.FileOfKubernetes(parts[0], parts[1]):
		c.Kubernetes = nil
	case evidence.FileOfDials(parts[0], parts[1]):
		c.Dials = nil
	case evidence.FileOfHandshakes(parts[0], parts[1]):
		c.Handshakes = nil
	case evidence.FileOfLogs(parts[0], parts[1]):
		c.Logs = nil
	case evidence.FileOfSteadyCalls(parts[0], parts[1]):
		c.Steady = nil
	}
	c.Istiods = slices.DeleteFunc(c.Istiods, func(i evidence.Istiod) bool { return i.File(parts[0], parts[1]) == file })
	c.Proxies = slices.DeleteFunc(c.Proxies, func(p evidence.Proxy) bool { return p.File(parts[0], parts[1]) == file })
	c.Traffic = slices.DeleteFunc(c.Traffic, func(t evidence.Traffic) bool { return evidence.FileOfTraffic(parts[0], parts[1], t.Purpose) == file })
	return run
}

// Cluster gives what was seen of a cluster of the joined mesh, for a test to spoil.
func Cluster(run evidence.Run, name string) *evidence.Cluster {
	return run.Epochs[evidence.Joined].Clusters[name]
}

// Pod gives a pod of a cluster of the joined mesh.
func Pod(run evidence.Run, cluster, name string) *evidence.Pod {
	k := Cluster(run, cluster).Kubernetes
	at := slices.IndexFunc(k.Pods, func(p evidence.Pod) bool { return p.Name == name })
	return &k.Pods[at]
}

// Proxy gives a proxy of a cluster of the joined mesh by its role.
func Proxy(run evidence.Run, cluster, role string) *evidence.Proxy {
	c := Cluster(run, cluster)
	at := slices.IndexFunc(c.Proxies, func(p evidence.Proxy) bool { return p.Role == role })
	return &c.Proxies[at]
}

// Calls gives the calls of a cluster.
func Calls(run evidence.Run, cluster, purpose string) *evidence.Traffic {
	c := Cluster(run, cluster)
	at := slices.IndexFunc(c.Traffic, func(t evidence.Traffic) bool { return t.Purpose == purpose })
	return &c.Traffic[at]
}
