package example

import (
	"fmt"
	"net"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Answer makes the calls of one cluster, the guide's and the measured ones: version tells who answers call number n of 600.
// Replies, counters and access logs agree; what other clusters were asked by earlier Answers is kept.
func Answer(run evidence.Run, from string, version func(number int) string) {
	in := run.Intent
	guided := evidence.Traffic{Purpose: evidence.GuideCalls, From: from, Pod: SleepPod, Asked: in.GuideCalls, Started: Began()}
	for n := 1; n <= in.GuideCalls; n++ {
		guided.Replies = append(guided.Replies, reply(n, 0, in.Clusters[n%2].Version))
	}
	t := evidence.Traffic{Purpose: evidence.Split, From: from, Pod: SleepPod, Asked: in.Samples, Started: Began(), Seconds: 1.7}
	count := map[string]int64{}
	for n := 1; n <= in.Samples; n++ {
		v := version(n)
		t.Replies = append(t.Replies, reply(n, 200, v))
		count[v]++
	}
	joined := run.Epochs[evidence.Joined].Clusters
	if old, there := joined[from].TrafficFor(evidence.Split); there {
		t.Before, t.After, t.AccessLog = old.Before, old.After, old.AccessLog
	} else {
		t.Before, t.After = inbound(run, from, 10), inbound(run, from, 10)
	}
	for _, c := range in.Clusters {
		address := net.JoinHostPort(Address(c.Name), "15443")
		if c.Name == from {
			address = AppIP + ":5000"
		}
		t.Before = append(t.Before, outbound(address, 10))
		t.After = append(t.After, outbound(address, 10+count[c.Version]))
	}
	joined[from].Traffic = []evidence.Traffic{guided, t, secondCalls(run, from)}
	for _, c := range in.Clusters {
		serve(run, c.Name, from, t.Replies, c.Version, count[c.Version])
	}
}

func reply(n, code int, version string) evidence.Reply {
	instance := "helloworld-" + version + "-1"
	return evidence.Reply{Number: n, Code: code, Seconds: 0.002, Version: version, Instance: instance,
		Body: fmt.Sprintf("Hello version: %s, instance: %s", version, instance)}
}

func outbound(address string, requests int64) evidence.Counters {
	return evidence.Counters{Pod: SleepPod, Role: evidence.RoleSleep, Cluster: evidence.OutboundCluster("sample"), Address: address,
		Healthy: true, Weight: 1, RqTotal: requests, RqSuccess: requests, CxTotal: 2, CxActive: 2}
}

func inbound(run evidence.Run, name string, requests int64) []evidence.Counters {
	c, _ := run.Intent.Cluster(name)
	return []evidence.Counters{{Pod: AppPod(c), Role: evidence.RoleHelloworld, Cluster: evidence.InboundCluster, Address: AppIP + ":5000",
		Healthy: true, Weight: 1, RqTotal: requests, RqSuccess: requests}}
}

// serve adds one client's calls to the counters and the log of the cluster that answered them.
func serve(run evidence.Run, server, from string, replies []evidence.Reply, version string, count int64) {
	c := run.Epochs[evidence.Joined].Clusters[server]
	if _, there := c.TrafficFor(evidence.Split); !there {
		c.Traffic = append(c.Traffic, evidence.Traffic{Purpose: evidence.Split, From: server, Before: inbound(run, server, 10), After: inbound(run, server, 10)})
	}
	downstream := GatewayIP
	if server == from {
		downstream = SleepIP
	}
	for i := range c.Traffic {
		t := &c.Traffic[i]
		if t.Purpose != evidence.Split {
			continue
		}
		for j := range t.After {
			if t.After[j].Role == evidence.RoleHelloworld {
				t.After[j].RqTotal += count
				t.After[j].RqSuccess += count
			}
		}
		for _, r := range replies {
			if r.Version == version {
				t.AccessLog = append(t.AccessLog, evidence.LogLine{Pod: r.Instance, From: from, Number: r.Number, Code: 200, Downstream: downstream})
			}
		}
	}
}

// secondCalls are those of the second service, answered in turn, with what the sidecars said of the caller.
func secondCalls(run evidence.Run, from string) evidence.Traffic {
	t := evidence.Traffic{Purpose: evidence.Second, From: from, Pod: SleepPod, Asked: run.Intent.SecondCalls, Started: Began(), Seconds: 0.1}
	for n := 1; n <= t.Asked; n++ {
		t.Replies = append(t.Replies, evidence.Reply{Number: n, Code: 200, Body: SecondBody(run.Intent.Clusters[n%2].Name, "spiffe://cluster.local/ns/sample/sa/sleep")})
	}
	return t
}

// SecondBody is what the second service of a cluster answers a client, as a sidecar writes the header.
func SecondBody(cluster, client string) string {
	return fmt.Sprintf("{\"name\":%q,\"client\":%q}\n", cluster,
		`By=spiffe://cluster.local/ns/meshproof-second/sa/default;Hash=`+Root+`;Subject="";URI=`+client)
}
