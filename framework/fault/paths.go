package fault

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/poll"
)

// paths are the faults on the way between the clusters, put into the packet filter of east's node.
func paths() []Fault {
	onTheWay := func(id, sentence, cause, extra string, also ...string) Fault {
		rule := func(ctx context.Context, r *Rig) (string, error) {
			address, err := r.gatewayAddress(ctx, r.west())
			return "-p tcp -d " + address + " --dport 15443 " + extra, err
		}
		return Fault{
			ID: id, Sentence: sentence, Verdict: claim.Failed, Cause: cause, Also: also, Samples: 40,
			Break: func(ctx context.Context, r *Rig) error {
				text, err := rule(ctx, r)
				if err != nil {
					return err
				}
				return errors.Join(r.filter(ctx, r.east(), "FORWARD", text), r.freshClient(ctx, r.east()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				text, err := rule(ctx, r)
				if err != nil {
					return err
				}
				return errors.Join(r.unfilter(ctx, r.east(), "FORWARD", text), r.freshClient(ctx, r.east()))
			},
		}
	}
	fifth := onTheWay("fifth-of-connections-refused", "a fifth of east's connections to west's gateway is reset, and each call has a connection of its own",
		"remote-connections-failing", "--syn -m statistic --mode random --probability 0.2 -j REJECT --reject-with tcp-reset")
	fifth.Samples = 400
	refuse, mend := fifth.Break, fifth.Repair
	fifth.Break = func(ctx context.Context, r *Rig) error {
		return errors.Join(r.apply(ctx, r.east(), oneCallPerConnection), refuse(ctx, r))
	}
	fifth.Repair = func(ctx context.Context, r *Rig) error {
		return errors.Join(r.remove(ctx, r.east(), oneCallPerConnection), mend(ctx, r))
	}
	return []Fault{
		onTheWay("gateway-unreachable", "east's node refuses connections to west's gateway", "gateway-unreachable", "-j REJECT --reject-with tcp-reset"),
		onTheWay("packets-dropped", "east's node drops packets to west's gateway", "packets-dropped", "-j DROP"),
		fifth,
	}
}

const oneCallPerConnection = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: one-call-per-connection, namespace: <sample>}
spec:
  host: helloworld.<sample>.svc.cluster.local
  trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}
`

// crossing waits until west's gateway takes connections from east's probe pod: after its pod was away, the load balancer
// announces its address again only after a while.
func (r *Rig) crossing(ctx context.Context) error {
	address, err := r.gatewayAddress(ctx, r.west())
	if err != nil {
		return err
	}
	target := net.JoinHostPort(address, strconv.Itoa(gatewayPort))
	w := poll.Wait{What: "the gateway takes connections", Where: "from cluster " + r.east().Name + " to " + target, Limit: 2 * r.limits().Notice, Every: time.Second}
	return poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		out, err := r.kubectl(ctx, r.east(), "", "-n", "meshproof", "exec", "probe", "--", "/usr/local/bin/probe", "dial", "--timeout", "3s", target)
		if err != nil {
			return "", err
		}
		var d struct {
			Connected bool   `json:"connected"`
			Error     string `json:"error"`
		}
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			return out, err
		}
		if !d.Connected {
			return d.Error, errors.New("not yet")
		}
		return "", nil
	})
}
