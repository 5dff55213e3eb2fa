package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func measured(run evidence.Run) *evidence.Traffic { return example.Calls(run, east, evidence.Split) }

// localCalls has east's own version answer n of the 600 calls from east, all counters and logs agreeing.
func localCalls(n int) func(evidence.Run) {
	return func(run evidence.Run) {
		fresh := example.Healthy()
		for name, c := range fresh.Epochs[evidence.Joined].Clusters {
			c.Traffic = nil
			*example.Cluster(run, name) = *c
		}
		example.Answer(run, east, func(number int) string {
			if number <= n {
				return "v1"
			}
			return "v2"
		})
		example.Answer(run, west, func(number int) string { return []string{"v1", "v2"}[number%2] })
	}
}

func replyOf(n int, spoil func(*evidence.Reply)) func(evidence.Run) {
	return func(run evidence.Run) { spoil(&measured(run).Replies[n-1]) }
}

// stop ends the measured calls of east after n replies, as a broken exec stream does.
func stop(n int) func(evidence.Run) {
	return func(run evidence.Run) {
		measured(run).Replies, measured(run).Error = measured(run).Replies[:n], "the stream broke: unexpected EOF"
	}
}

func counter(cluster, role, address string, spoil func(before, after *evidence.Counters)) func(evidence.Run) {
	return func(run evidence.Run) {
		t := example.Calls(run, cluster, evidence.Split)
		for i, c := range t.After {
			if c.Role == role && c.Address == address {
				spoil(&t.Before[i], &t.After[i])
			}
		}
	}
}

const localHost, remoteHost = "10.244.0.8:5000", "172.18.252.1:15443"

func TestGuideCalls(t *testing.T) {
	guided := func(run evidence.Run) *evidence.Traffic { return example.Calls(run, east, evidence.GuideCalls) }
	judgeAll(t, []spoiled{
		{"one version only is no failure", "guide-calls", eastToWest, func(run evidence.Run) {
			for i := range guided(run).Replies {
				guided(run).Replies[i].Version = "v1"
			}
		}, Passed, "not every version was seen"},
		{"another body", "guide-calls", eastToWest, func(run evidence.Run) {
			guided(run).Replies[3].Version, guided(run).Replies[3].Body = "", "upstream connect error"
		}, Failed, "upstream connect error"},
		{"a version of nobody", "guide-calls", eastToWest, func(run evidence.Run) { guided(run).Replies[3].Version = "v3" }, Failed, "reply 4"},
		{"no name", "guide-calls", eastToWest, func(run evidence.Run) {
			guided(run).Replies, guided(run).Stderr, guided(run).Error = nil, strings.Repeat("curl: (6) Could not resolve host: helloworld.sample\n", 20), "exit code 6"
		}, Failed, "20 of 20 calls had no answer: curl: (6)"},
		{"the stream broke", "guide-calls", eastToWest, func(run evidence.Run) {
			guided(run).Replies, guided(run).Error = guided(run).Replies[:7], "unexpected EOF"
		}, Inconclusive, "only 7 of 20"},
		{"an answer is missing without a word", "guide-calls", eastToWest, func(run evidence.Run) { guided(run).Replies = guided(run).Replies[:19] }, Failed, "19 of 20"},
		{"fewer calls than declared", "guide-calls", eastToWest, func(run evidence.Run) {
			guided(run).Replies, guided(run).Asked = guided(run).Replies[:3], 3
		}, Inconclusive, "3 calls were made instead of 20"},
	})
}

// gone is a call that found its own sidecar gone.
func gone(r *evidence.Reply) { r.Code, r.Exit, r.Version, r.Body = 0, 7, "", "" }

func TestReplies(t *testing.T) {
	judgeAll(t, []spoiled{
		{"503 with curl's exit 0", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) {
			r.Code, r.Version, r.Body = 503, "", "remote connection failure"
		}), Failed, "call 5 was answered with 503"},
		{"403", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Code, r.Version, r.Body = 403, "", "RBAC: access denied" }), Failed, "RBAC"},
		{"a time limit", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Code, r.Exit, r.Version, r.Body = 0, 28, "", "" }), Failed, "exit code is 28"},
		{"another application", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Version, r.Body = "", "It works!" }), Failed, "It works!"},
		{"cut within", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Exit = 18 }), Failed, "exit code is 18"},
		{"the stream broke", "split-replies", eastToWest, stop(400), Inconclusive, "ended after 400 of 600"},
		{"the caller was killed, its sidecar first", "split-replies", eastToWest, func(run evidence.Run) {
			stop(400)(run)
			for i := 390; i < 400; i++ {
				replyOf(i+1, gone)(run)
			}
		}, Inconclusive, "ended after 400 of 600, of which the last 10 met no sidecar of their own pod any more"},
		{"the sidecar was gone, and came back before the stream broke", "split-replies", eastToWest, func(run evidence.Run) {
			stop(400)(run)
			replyOf(390, gone)(run)
		}, Failed, "exit code is 7"},
		{"the sidecar was gone at the end, and all calls were made", "split-replies", eastToWest, replyOf(600, gone), Failed, "exit code is 7"},
		{"a 503 counts also when the stream broke", "split-replies", eastToWest, func(run evidence.Run) {
			stop(400)(run)
			replyOf(5, func(r *evidence.Reply) { r.Code = 503 })(run)
		}, Failed, "503"},
		{"a reply is missing", "split-replies", eastToWest, func(run evidence.Run) { measured(run).Replies = measured(run).Replies[:599] }, Failed, "1 of 600"},
		{"a reply is there twice", "split-replies", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Number = 4 }), Inconclusive, "number 4"},
		{"fewer than declared", "split-replies", eastToWest, func(run evidence.Run) { measured(run).Asked, measured(run).Replies = 28, measured(run).Replies[:28] },
			Inconclusive, "the run declares 600"},
	})
}

func TestAccounted(t *testing.T) {
	sleep := evidence.RoleSleep
	judgeAll(t, []spoiled{
		{"a failed connection, tried again", "split-accounted", eastToWest, counter(east, sleep, remoteHost, func(_, a *evidence.Counters) {
			a.CxConnectFail++
			a.RqError++
		}), Failed, "1 connections to 172.18.252.1:15443 failed"},
		{"a request too many", "split-accounted", eastToWest, counter(east, sleep, localHost, func(_, a *evidence.Counters) { a.RqTotal++ }), Failed, "601 requests"},
		{"the calls took another way", "split-accounted", eastToWest, func(run evidence.Run) {
			counter(east, sleep, localHost, func(b, a *evidence.Counters) { *a = *b })(run)
			counter(east, sleep, remoteHost, func(b, a *evidence.Counters) { *a = *b })(run)
		}, Failed, "0 requests"},
		{"v2 answers from the wrong cluster", "split-accounted", eastToWest, replyOf(1, func(r *evidence.Reply) { r.Version = "v2" }), Failed, "endpoints of v1 were sent 300"},
		{"counters were rebuilt", "split-accounted", eastToWest, counter(east, sleep, localHost, func(_, a *evidence.Counters) { a.RqTotal = 3 }), Inconclusive, "rebuilt"},
		{"an endpoint left", "split-accounted", eastToWest, func(run evidence.Run) { measured(run).After = measured(run).After[:2] }, Inconclusive, "left pod"},
		{"an endpoint came", "split-accounted", eastToWest, func(run evidence.Run) { measured(run).Before = measured(run).Before[:2] }, Inconclusive, "appeared"},
		{"counters were not read", "split-accounted", eastToWest, func(run evidence.Run) { measured(run).Before = nil }, Inconclusive, "not read"},
		{"the stream broke", "split-accounted", eastToWest, stop(400), Inconclusive, "ended after 400"},
		{"two clusters at one address", "split-accounted", eastToWest, holds(func(l, r evidence.Endpoint) []evidence.Endpoint {
			r.Address, r.Port = l.Address, l.Port
			return []evidence.Endpoint{l, r}
		}), Inconclusive, "cannot be told apart"},
	})
}

func TestBalance(t *testing.T) {
	judgeAll(t, []spoiled{
		{"the lowest count", "split-balanced", eastToWest, localCalls(230), Passed, "230 of 600"},
		{"the highest count", "split-balanced", eastToWest, localCalls(370), Passed, "within 230..370"},
		{"one below", "split-balanced", eastToWest, localCalls(229), Failed, "229 of 600 calls from east were answered by its own v1, outside 230..370"},
		{"one above", "split-balanced", eastToWest, localCalls(371), Failed, "371 of 600"},
		{"local only", "split-balanced", eastToWest, localCalls(600), Failed, "600 of 600"},
		{"remote only", "split-balanced", eastToWest, localCalls(0), Failed, "0 of 600"},
		{"one endpoint only", "split-balanced", eastToWest, func(run evidence.Run) {
			localCalls(600)(run)
			measured(run).Before, measured(run).After = measured(run).Before[:2], measured(run).After[:2]
		}, Failed, "endpoints of one cluster only"},
		{"a call without an answer", "split-balanced", eastToWest, replyOf(5, func(r *evidence.Reply) { r.Code = 503 }), Inconclusive, "only 599 of 600"},
		{"the stream broke", "split-balanced", eastToWest, stop(400), Inconclusive, "ended after 400"},
		{"weights were not read", "split-balanced", eastToWest, func(run evidence.Run) { measured(run).Before = nil }, Inconclusive, "weights"},
		{"a host of nobody", "split-balanced", eastToWest, counter(east, evidence.RoleSleep, localHost, func(b, _ *evidence.Counters) { b.Address = "10.9.9.9:5000" }), Inconclusive, "10.9.9.9"},
	})
}

func TestBalanceByWeight(t *testing.T) {
	run := example.Healthy()
	localCalls(450)(run)
	counter(east, evidence.RoleSleep, localHost, func(b, _ *evidence.Counters) { b.Weight = 3 })(run)
	f := one(t, run, "split-balanced", eastToWest)
	model, _ := f.Measured["model"].(string)
	if f.Verdict != Passed || f.Measured["expectedShare"] != 0.75 || !strings.Contains(model, "conservative") {
		t.Errorf("450 of 600 at weights 3 to 1: %s: %s (%v)", f.Verdict, f.Reason, f.Measured)
	}
	localCalls(300)(run)
	counter(east, evidence.RoleSleep, localHost, func(b, _ *evidence.Counters) { b.Weight = 3 })(run)
	if f := one(t, run, "split-balanced", eastToWest); f.Verdict != Failed {
		t.Errorf("300 of 600 at weights 3 to 1: %s: %s", f.Verdict, f.Reason)
	}
	if rate := FalseFailRate(run); rate >= 2e-8 || rate <= 1e-9 {
		t.Errorf("false-fail rate %g", rate)
	}
}

func TestServed(t *testing.T) {
	const inboundHost = "10.244.0.8:5000"
	app := evidence.RoleHelloworld
	judgeAll(t, []spoiled{
		{"fewer than replied", "served-by-peer", west, counter(west, app, inboundHost, func(_, a *evidence.Counters) { a.RqTotal-- }), Failed, "served 599 requests, but v2 replied 600"},
		{"not read", "served-by-peer", west, func(run evidence.Run) { example.Calls(run, west, evidence.Split).After = nil }, Inconclusive, "not read after"},
		{"its first connection came with the calls", "served-by-peer", west, func(run evidence.Run) {
			calls := example.Calls(run, west, evidence.Split)
			calls.After[0].RqTotal -= calls.Before[0].RqTotal
			calls.Before = calls.Before[1:]
		}, Passed, "served 600"},
		{"rebuilt", "served-by-peer", west, counter(west, app, inboundHost, func(_, a *evidence.Counters) { a.RqTotal = 1 }), Inconclusive, "rebuilt"},
		{"another client's stream broke", "served-by-peer", west, stop(400), Inconclusive, "calls from east ended"},
		{"never asked", "served-by-peer", west, func(run evidence.Run) {
			localCalls(600)(run)
			for _, c := range run.Epochs[evidence.Joined].Clusters {
				c.Traffic = nil
			}
			for _, name := range []string{east, west} {
				example.Answer(run, name, func(int) string { return "v1" })
			}
		}, Failed, "answered none of 1200 calls"},
	})
}

func TestCrossed(t *testing.T) {
	log := func(spoil func(*[]evidence.LogLine)) func(evidence.Run) {
		return func(run evidence.Run) { spoil(&example.Calls(run, west, evidence.Split).AccessLog) }
	}
	judgeAll(t, []spoiled{
		{"straight from the other cluster's pod", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) { (*l)[0].Downstream = "10.244.0.99" }),
			Failed, "1 calls from east reached helloworld on west from 10.244.0.99"},
		{"the log was rotated", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) {
			*l = slices.DeleteFunc(*l, func(line evidence.LogLine) bool { return line.From == east })
		}), Inconclusive, "a part of its log is missing"},
		{"logging is off", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) { *l = nil }), Inconclusive, "access logging is off there, or its clock is minutes behind"},
		{"the log could not be read", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, west, evidence.Split)
			c.AccessLog, c.AccessLogError = nil, "read the access log of sample/hw on cluster west: forbidden"
		}, Inconclusive, "0 could be read in the log of its sidecar: read the access log of sample/hw on cluster west: forbidden"},
		{"the log could be read for a while", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, west, evidence.Split)
			c.AccessLog, c.AccessLogError = c.AccessLog[1:], "it ended"
			counter(west, evidence.RoleHelloworld, "10.244.0.8:5000", func(_, a *evidence.Counters) { a.RqTotal-- })(run)
		}, Inconclusive, "299 could be read in the log of its sidecar: it ended"},
		{"what could be read is wrong", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, west, evidence.Split)
			c.AccessLog, c.AccessLogError = c.AccessLog[1:], "it ended"
			c.AccessLog[0].Downstream = "10.244.0.99"
		}, Failed, "from 10.244.0.99"},
		{"a line is missing that was counted", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) { *l = (*l)[1:] }), Inconclusive, "lacks 1 of 300"},
		{"a call passed the sidecar by", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			log(func(l *[]evidence.LogLine) { *l = (*l)[1:] })(run)
			counter(west, evidence.RoleHelloworld, "10.244.0.8:5000", func(_, a *evidence.Counters) { a.RqTotal-- })(run)
		}, Failed, "not in the log"},
		{"a line of a call that another answered", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) {
			*l = append(*l, evidence.LogLine{From: east, Number: 1, Downstream: example.GatewayIP})
		}), Failed, "1 calls from east that it did not answer"},
		{"a line twice", "crossed-by-gateway", eastToWest, log(func(l *[]evidence.LogLine) { *l = append(*l, (*l)[0]) }), Failed, "more than once"},
		{"none crossed", "crossed-by-gateway", eastToWest, localCalls(600), Failed, "none crossed"},
		{"the stream broke", "crossed-by-gateway", eastToWest, stop(400), Inconclusive, "ended after 400"},
		{"the gateway's pod is another one", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			example.Pod(run, west, example.GatewayPod).IP = "10.244.0.70"
		}, Failed, "from 10.244.0.7, and not from a pod of the gateway (10.244.0.70)"},
		{"the gateway's pod was about to end", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			anotherGateway(run, "10.244.0.70")
			example.Pod(run, west, example.GatewayPod).Terminating = true
		}, Passed, "came to it from its gateway's pods"},
		{"another pod of the gateway had ended", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			anotherGateway(run, "10.244.0.70")
			example.Pod(run, west, example.GatewayPod).Phase = "Failed"
		}, Failed, "and not from a pod of the gateway (10.244.0.70)"},
		{"a pod of the gateway came before the calls", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			passed(run, "gateway-2", "gateway-2")
			log(func(l *[]evidence.LogLine) { (*l)[0].Downstream = "10.244.0.99" })(run)
		}, Inconclusive, "1 calls from east reached helloworld on west from 10.244.0.99, which may be a pod of the gateway: gateway-2 came after the cluster was looked at"},
		{"a pod of the gateway came during the calls", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			passed(run, example.GatewayPod, "gateway-2")
			log(func(l *[]evidence.LogLine) { (*l)[0].Downstream = "10.244.0.99" })(run)
		}, Inconclusive, "the gateway's pods were " + example.GatewayPod + " before the calls and gateway-2 after them"},
		{"the gateway stayed", "crossed-by-gateway", eastToWest, func(run evidence.Run) {
			passed(run, example.GatewayPod, example.GatewayPod)
			log(func(l *[]evidence.LogLine) { (*l)[0].Downstream = "10.244.0.99" })(run)
		}, Failed, "from 10.244.0.99, and not from a pod of the gateway"},
	})
}

// anotherGateway gives west a second pod of the gateway.
func anotherGateway(run evidence.Run, ip string) {
	k := example.Cluster(run, west).Kubernetes
	second := *example.Pod(run, west, example.GatewayPod)
	second.Name, second.IP = "gateway-2", ip
	k.Pods = append(k.Pods, second)
	c := example.Cluster(run, west)
	c.Proxies = append(c.Proxies, evidence.Proxy{Namespace: "istio-system", Pod: second.Name, Role: evidence.RoleGateway})
}

// passed names the pods of west's gateway that were counted around the calls.
func passed(run evidence.Run, before, after string) {
	t := example.Calls(run, west, evidence.Split)
	host := evidence.Counters{Role: evidence.RoleGateway, Cluster: evidence.SNICluster("sample"), Address: "10.244.0.8:5000"}
	host.Pod = before
	t.Before = append(t.Before, host)
	host.Pod = after
	t.After = append(t.After, host)
}
