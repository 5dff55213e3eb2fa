package example

import (
	"net"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// handshakes are what the gateway of a peer answers each who asks, as measured with Go's crypto/tls on two kind clusters.
func handshakes(peer intent.Cluster) []evidence.Handshake {
	const reset = "read tcp 10.244.0.5:40002->172.18.252.1:15443: read: connection reset by peer"
	made := func(as string, change func(*evidence.Handshake)) evidence.Handshake {
		h := evidence.Handshake{At: Began(), To: peer.Name, Pod: "probe", Address: net.JoinHostPort(Address(peer.Name), "15443"), As: as, Connected: true}
		change(&h)
		return h
	}
	shut := func(h *evidence.Handshake) { h.Phase, h.Error = "handshake", reset }
	alert := func(text string) func(*evidence.Handshake) {
		return func(h *evidence.Handshake) {
			h.Handshake, h.Peer, h.Phase, h.Error = true, "spiffe://cluster.local/ns/sample/sa/default", "read", "remote error: tls: "+text
		}
	}
	return []evidence.Handshake{
		made(evidence.AsPlain, func(h *evidence.Handshake) { h.Phase, h.Error = "read", reset }),
		made(evidence.AsNobody, shut),
		made(evidence.AsUnknownName, shut),
		made(evidence.AsNoProtocol, shut),
		made(evidence.AsWeb, shut),
		made(evidence.AsAnonymous, alert("certificate required")),
		made(evidence.AsMember, func(h *evidence.Handshake) {
			h.Handshake, h.Peer, h.Code = true, "spiffe://cluster.local/ns/sample/sa/default", 200
			h.Body = "Hello version: " + peer.Version + ", instance: " + AppPod(peer) + "\n"
		}),
		made(evidence.AsStranger, func(h *evidence.Handshake) {
			h.Handshake, h.Peer, h.Code = true, "spiffe://cluster.local/ns/sample/sa/default", 200
			h.Body = "Hello version: " + peer.Version + ", instance: " + AppPod(peer) + "\n"
		}),
		made(evidence.AsForeigner, alert("unknown certificate authority")),
		made(evidence.AsExpired, alert("expired certificate")),
		made(evidence.AsFuture, alert("expired certificate")),
		made(evidence.AsOtherDomain, alert("unknown certificate")),
	}
}

// Handshake is a cluster's attempt as somebody with its peer's gateway.
func Handshake(run evidence.Run, cluster, as string) *evidence.Handshake {
	c := Cluster(run, cluster)
	for i := range c.Handshakes {
		if c.Handshakes[i].As == as {
			return &c.Handshakes[i]
		}
	}
	return nil
}

// Unreachable lets no connection from a cluster's probe pod to its peer's gateway succeed, for that reason.
func Unreachable(run evidence.Run, cluster, why string) {
	c := Cluster(run, cluster)
	c.Dials[0].Connected, c.Dials[0].Error = false, why
	for i := range c.Handshakes {
		h := &c.Handshakes[i]
		h.Connected, h.Handshake, h.Peer, h.Code, h.Body, h.Phase, h.Error = false, false, "", 0, "", "dial", why
	}
}
