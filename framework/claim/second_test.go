package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestSecondService(t *testing.T) {
	replies := func(change func(i int, r *evidence.Reply)) func(evidence.Run) {
		return func(run evidence.Run) {
			all := example.Calls(run, east, evidence.Second).Replies
			for i := range all {
				change(i, &all[i])
			}
		}
	}
	const sleep = "spiffe://cluster.local/ns/sample/sa/sleep"
	judgeAll(t, []spoiled{
		{"one cluster alone", "second-service", eastToWest, replies(func(_ int, r *evidence.Reply) { r.Body = example.SecondBody(east, sleep) }), Failed, "cluster west answered none of 40 calls from east"},
		{"503", "second-service", eastToWest, replies(func(i int, r *evidence.Reply) {
			if i == 7 {
				r.Code, r.Body = 503, "upstream connect error"
			}
		}), Failed, "call 8 from east was answered with 503"},
		{"somebody else", "second-service", eastToWest, replies(func(_ int, r *evidence.Reply) { r.Body = example.SecondBody("north", sleep) }), Failed, `somebody answered as "north"`},
		{"cut short", "second-service", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, east, evidence.Second)
			c.Replies, c.Error = c.Replies[:10], "the stream broke"
		}, Inconclusive, "ended after 10 of 40: the stream broke"},
		{"cut short after one", "second-service", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, east, evidence.Second)
			c.Replies, c.Error = c.Replies[:1], "the stream broke"
		}, Inconclusive, "ended after 1 of 40: the stream broke"},
		{"not begun", "second-service", eastToWest, func(run evidence.Run) {
			c := example.Calls(run, east, evidence.Second)
			c.Replies, c.Error = nil, "no pod app=sleep runs"
		}, Inconclusive, "ended after 0 of 40: no pod app=sleep runs"},

		{"without a certificate", "traffic-identity", eastToWest, replies(func(_ int, r *evidence.Reply) { r.Body = `{"name":"west","client":""}` }), Failed, "west was called from east without a certificate"},
		{"another account", "traffic-identity", eastToWest, replies(func(_ int, r *evidence.Reply) {
			r.Body = example.SecondBody(west, "spiffe://cluster.local/ns/sample/sa/intruder")
		}), Failed, `saw "spiffe://cluster.local/ns/sample/sa/intruder" call`},
		{"another trust domain", "traffic-identity", eastToWest, replies(func(_ int, r *evidence.Reply) {
			r.Body = example.SecondBody(west, "spiffe://elsewhere.example/ns/sample/sa/sleep")
		}), Failed, `saw "spiffe://elsewhere.example/ns/sample/sa/sleep" call`},
		{"a header that was sent along", "traffic-identity", eastToWest, replies(func(_ int, r *evidence.Reply) {
			r.Body = `{"name":"west","client":"By=spiffe://cluster.local/ns/meshproof-second/sa/default;URI=` + sleep + `,By=spiffe://cluster.local/ns/meshproof-second/sa/default;URI=spiffe://cluster.local/ns/x/sa/y"}`
		}), Failed, "/ns/x/sa/y"},
		{"the other cluster did not answer", "traffic-identity", eastToWest, replies(func(_ int, r *evidence.Reply) { r.Body = example.SecondBody(east, sleep) }), Inconclusive, "west answered no call"},

		{"no gateway", "second-endpoints", eastToWest, func(run evidence.Run) {
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1))
		}, Failed, "does not hold the gateway of west"},
		{"a host name", "second-endpoints", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = []string{"gw.west.example"}
		}, Passed, "of every cluster"},
		{"a raw address", "second-endpoints", eastToWest, func(run evidence.Run) {
			raw := example.Remote(run.Intent.Clusters[1], 1)
			raw.Address, raw.Port = "10.244.0.12", 5000
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Local(run.Intent.Clusters[0], 1), raw)
		}, Failed, "does not hold the gateway of west"},
		{"no local pod", "second-endpoints", eastToWest, func(run evidence.Run) {
			*example.Proxy(run, east, evidence.RoleSleep) = example.Sleep(example.Remote(run.Intent.Clusters[1], 1))
		}, Failed, "no local pod of echo.meshproof-second"},
		{"the gateway has nobody behind it", "second-endpoints", eastToWest, func(run evidence.Run) {
			example.Proxy(run, west, evidence.RoleGateway).Clusters = example.Clusters()
		}, Failed, "no healthy pod of echo.meshproof-second"},
	})
	judgeAll(t, []spoiled{{"another account behind the gateway", "accepts-mesh-certificate", eastToWest, func(run evidence.Run) {
		example.Handshake(run, east, evidence.AsMember).Peer = "spiffe://cluster.local/ns/sample/sa/intruder"
	}, Failed, "not helloworld's account"}})
}
