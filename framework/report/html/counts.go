package html

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// rawCalls are one cluster's calls of one purpose as they were counted.
type rawCalls struct {
	Title string
	Facts []fact
	Hosts []hostCount
	File  string
}

// hostCount is by how much one host's counters in one Envoy grew during the calls.
type hostCount struct {
	Role, Pod, Host  string
	Weight           uint32
	Requests, Errors int64
	Fails, Opened    int64
	Restarted        bool
}

// hostCounts compares the counters before and after, host by host. A counter that has fallen was started anew with its
// Envoy cluster: its growth is not known, and the count is marked.
func hostCounts(t evidence.Traffic) []hostCount {
	var all []hostCount
	for _, after := range t.After {
		at := slices.IndexFunc(t.Before, func(b evidence.Counters) bool {
			return b.Pod == after.Pod && b.Cluster == after.Cluster && b.Address == after.Address
		})
		var before evidence.Counters
		if at >= 0 {
			before = t.Before[at]
		}
		h := hostCount{
			Role: after.Role, Pod: after.Pod, Host: after.Address, Weight: after.Weight,
			Requests: after.RqTotal - before.RqTotal, Errors: after.RqError - before.RqError,
			Fails: after.CxConnectFail - before.CxConnectFail, Opened: after.CxTotal - before.CxTotal,
		}
		h.Restarted = at < 0 || h.Requests < 0 || h.Errors < 0 || h.Fails < 0 || h.Opened < 0
		all = append(all, h)
	}
	slices.SortStableFunc(all, func(a, b hostCount) int { return strings.Compare(a.Role, b.Role) * -1 })
	return all
}

// grown is the growth of a counter for a person: of one that has fallen it is not known.
func grown(n int64) string {
	if n < 0 {
		return "not known"
	}
	return fmt.Sprintf("+%d", n)
}

func rawCounts(run evidence.Run) []rawCalls {
	var all []rawCalls
	for _, in := range run.Intent.Clusters {
		c := run.Cluster(evidence.Joined, in.Name)
		if c == nil {
			continue
		}
		for _, purpose := range []string{evidence.GuideCalls, evidence.Split} {
			if t, there := c.TrafficFor(purpose); there {
				all = append(all, rawOf(t, in.Name))
			}
		}
	}
	return all
}

func rawOf(t evidence.Traffic, from string) rawCalls {
	title := "The guide's own calls from " + from
	if t.Purpose == evidence.Split {
		title = "Measured calls from " + from
	}
	versions, codes, exits, slowest := map[string]int{}, map[string]int{}, map[string]int{}, 0.0
	for _, r := range t.Replies {
		version := r.Version
		if version == "" {
			version = "no version"
		}
		versions[version]++
		if r.Code != 0 {
			codes[strconv.Itoa(r.Code)]++
		}
		if r.Exit != 0 {
			exits[strconv.Itoa(r.Exit)]++
		}
		slowest = max(slowest, r.Seconds)
	}
	raw := rawCalls{Title: title, File: evidence.FileOfTraffic(evidence.Joined, from, t.Purpose), Hosts: hostCounts(t), Facts: []fact{
		{"Asked", strconv.Itoa(t.Asked)}, {"Replies", strconv.Itoa(len(t.Replies))}, {"By version", tally(versions)},
		{"HTTP codes", tally(codes)}, {"curl exit codes other than 0", tally(exits)}, {"Took", seconds(t.Seconds)},
	}}
	if slowest > 0 {
		raw.Facts = append(raw.Facts, fact{"Slowest reply", seconds(slowest)})
	}
	raw.Facts = append(raw.Facts, fact{"Ended early", t.Error})
	raw.Facts = slices.DeleteFunc(raw.Facts, func(f fact) bool { return f.Value == "" })
	return raw
}

// tally gives counts in the order of their names: "v1 308, v2 292".
func tally(count map[string]int) string {
	var all []string
	for name, n := range count {
		all = append(all, fmt.Sprintf("%s × %d", name, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// clusterPods are the pods of one cluster when the joined mesh was looked at.
type clusterPods struct {
	Cluster string
	Pods    []podRow
}

type podRow struct {
	Name, Address, Phase, Ready string
	Restarts                    int32
	Trouble                     string
}

func podsOf(run evidence.Run) []clusterPods {
	var all []clusterPods
	for _, in := range run.Intent.Clusters {
		pods := clusterPods{Cluster: in.Name}
		for _, p := range objects(run.Cluster(evidence.Joined, in.Name)).Pods {
			row := podRow{Name: p.Namespace + "/" + p.Name, Address: p.IP, Phase: p.Phase}
			ready := 0
			for _, c := range p.Containers {
				if c.Ready {
					ready++
				}
				row.Restarts += c.Restarts
				if c.Waiting != "" {
					row.Trouble = strings.TrimSpace(row.Trouble + " " + c.Name + ": " + c.Waiting)
				}
			}
			row.Ready = fmt.Sprintf("%d of %d", ready, len(p.Containers))
			pods.Pods = append(pods.Pods, row)
		}
		if len(pods.Pods) > 0 {
			all = append(all, pods)
		}
	}
	return all
}

// warning is one Kubernetes event of the type Warning.
type warning struct {
	Cluster, Object, Reason, Message string
	Count                            int32
}

// maxWarnings of one cluster: the evidence holds the rest.
const maxWarnings = 12

func warnings(run evidence.Run) []warning {
	var all []warning
	for _, in := range run.Intent.Clusters {
		n := 0
		for _, e := range objects(run.Cluster(evidence.Joined, in.Name)).Events {
			if e.Type != "Warning" || n == maxWarnings {
				continue
			}
			n++
			all = append(all, warning{Cluster: in.Name, Object: e.Namespace + " " + e.Object, Reason: e.Reason, Message: e.Message, Count: max(e.Count, 1)})
		}
	}
	return all
}
