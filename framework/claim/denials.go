package claim

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// What the gateways must refuse. A refusal shows something only when the same probe, on the same way, was let in where it
// must be: so each of these rules has a positive control, without which it is not decided.

func denialRules() []rule {
	gateway := func(id, sentence string, judge func(view) result) rule {
		return rule{
			Claim: Claim{ID: id, Level: Core, Kind: Converges, Area: Denial, Epoch: evidence.Joined, Guide: "S7 Expose the services", Sentence: sentence},
			about: eachDirection, reads: []part{objects(ofPeers), handshakes(ofSelf)}, judge: judge,
			asked: func(in intent.Intent) string {
				if !in.Handshakes {
					return "this run did not ask the gateways"
				}
				return ""
			},
		}
	}
	certified := func(id, sentence string, judge func(view) result) rule {
		r := gateway(id, sentence, judge)
		r.asked = func(in intent.Intent) string {
			if !in.Handshakes {
				return "this run did not ask the gateways"
			}
			if !in.Certificates {
				return "the run has no certificates of the mesh's root: it did not make the mesh"
			}
			return ""
		}
		return r
	}
	return []rule{
		certified("accepts-mesh-certificate", "The gateway passes on who has a certificate of the mesh, and the peer's helloworld shows its identity and answers.", judgeMember),
		gateway("denies-plaintext", "The gateway gives no answer to a request without TLS.", func(v view) result {
			return judgeDenied(v, shown, refusedTLS, evidence.AsPlain)
		}),
		gateway("denies-unknown-names", "The gateway ends a connection that names no service, or one that is not there, before it shows a certificate.", func(v view) result {
			return judgeDenied(v, shown, refusedTLS, evidence.AsNobody, evidence.AsUnknownName)
		}),
		gateway("denies-foreign-protocols", "The gateway ends a connection that does not speak the mesh's own protocol (ALPN), before it shows a certificate.", func(v view) result {
			return judgeDenied(v, shown, refusedTLS, evidence.AsNoProtocol, evidence.AsWeb)
		}),
		certified("denies-missing-certificate", "Who has no certificate is shown the peer's identity, and is refused by the peer's sidecar.", func(v view) result {
			return judgeDenied(v, admitted, refusedCertificate, evidence.AsAnonymous)
		}),
		certified("denies-foreign-certificates", "A certificate of another root, of another trust domain, expired or not yet valid is refused by the peer's sidecar.", func(v view) result {
			return judgeDenied(v, admitted, refusedCertificate, evidence.AsForeigner, evidence.AsExpired, evidence.AsFuture, evidence.AsOtherDomain)
		}),
	}
}

// handshakes are the attempts of a cluster's probe pod with every address of its peers' gateways.
func handshakes(of func(view) []intent.Cluster) part {
	return file(of, "handshakes", evidence.FileOfHandshakes, func(c *evidence.Cluster) bool { return len(c.Handshakes) > 0 })
}

// attempts gives what a way's attempts of one kind came to, one for each address of the peer's gateway; and what is missing.
func attempts(v view, peer intent.Cluster, as string) (all []evidence.Handshake, gap string) {
	all = v.cluster(v.self.Name).HandshakesAs(peer.Name, as)
	for _, address := range v.objects(peer.Name).GatewayAddresses() {
		asked := net.JoinHostPort(address, strconv.Itoa(evidence.GatewayPort))
		if !slices.ContainsFunc(all, func(h evidence.Handshake) bool { return h.Address == asked }) {
			return all, fmt.Sprintf("%s holds no attempt with %q at %s of %s", evidence.FileOfHandshakes(v.epoch, v.self.Name), as, address, peer.Name)
		}
	}
	if len(all) == 0 {
		gap = fmt.Sprintf("the gateway of %s has no address that could be asked", peer.Name)
	}
	return all, gap
}

func judgeMember(v view) result {
	var n notes
	var answered []string
	for _, peer := range v.peers {
		all, gap := attempts(v, peer, evidence.AsMember)
		if gap != "" {
			n.puzzles("%s", gap)
		}
		for _, h := range all {
			switch {
			case h.Code != ok:
				n.breaks("with a certificate of the mesh, %s of %s gave %s", h.Address, peer.Name, came(h))
			case h.Peer != "spiffe://"+v.run.Intent.TrustDomain+"/ns/"+v.sample()+"/sa/default":
				n.breaks("behind %s of %s is %q, not helloworld's account", h.Address, peer.Name, h.Peer)
			case !strings.Contains(h.Body, "version: "+peer.Version+","):
				n.breaks("behind %s of %s somebody else than %s answered: %.60q", h.Address, peer.Name, peer.Version, h.Body)
			}
			answered = append(answered, h.Address)
		}
	}
	return n.result("with a certificate of the mesh, helloworld answers a pod outside the mesh on %s through %s", v.self.Name, strings.Join(answered, ", "))
}

const ok = 200

// came says in words what an attempt came to.
func came(h evidence.Handshake) string {
	if h.Code != 0 {
		return fmt.Sprintf("the HTTP answer %d", h.Code)
	}
	return fmt.Sprintf("no answer (%s: %s)", h.Phase, ways.ReplaceAllString(h.Error, ""))
}

// ways are the two ends of a connection in an error of Go's package net: the client's port is another each time, and a mesh
// of which the same is said again and again has settled.
var ways = regexp.MustCompile(`(read|write|dial) tcp [^ ]+: `)

// shown is the control of what the gateway itself refuses: with the right name and protocol it shows helloworld's identity.
func shown(v view, peer intent.Cluster) string {
	return controlled(v, peer, evidence.AsAnonymous, func(h evidence.Handshake) bool { return h.Handshake && h.Peer != "" })
}

// admitted is the control of what the peer's sidecar refuses: it takes a certificate of the mesh.
func admitted(v view, peer intent.Cluster) string {
	return controlled(v, peer, evidence.AsMember, func(h evidence.Handshake) bool { return h.Code == ok })
}

func controlled(v view, peer intent.Cluster, as string, good func(evidence.Handshake) bool) string {
	all, gap := attempts(v, peer, as)
	for _, h := range all {
		if !good(h) {
			gap = fmt.Sprintf("asked with %q, %s of %s gave %s", as, h.Address, peer.Name, came(h))
		}
	}
	if gap == "" {
		return ""
	}
	return "a refusal shows nothing where nobody is let in: " + gap
}

// refusedTLS: the connection was ended, and neither a certificate nor an answer was given.
func refusedTLS(h evidence.Handshake) bool {
	return h.Connected && !h.Handshake && h.Code == 0 && !silent(h)
}

// silent: nothing came until the probe gave up. That is a gateway that hangs, or packets that are lost, and no refusal.
func silent(h evidence.Handshake) bool {
	return h.Connected && !h.Handshake && seen.TimedOut(h.Error)
}

// refusedCertificate: the peer showed its own identity, and ended the connection because of the client's. With TLS 1.3 its
// alert comes with the first read, and what was written before it may have met a closed connection. The alert itself may
// be lost on the way: the sidecar closes with what the client wrote still unread, the kernel makes that a reset, and the
// gateway's Envoy drops what it had not passed on yet. That nothing came but the end is a refusal too.
func refusedCertificate(h evidence.Handshake) bool {
	return h.Connected && h.Code == 0 && (alerted(h) || h.Peer != "" && (strings.HasSuffix(h.Error, "EOF") ||
		strings.HasSuffix(h.Error, syscall.ECONNRESET.Error()) || strings.HasSuffix(h.Error, syscall.EPIPE.Error())))
}

func alerted(h evidence.Handshake) bool { return strings.Contains(h.Error, "remote error: tls:") }

func judgeDenied(v view, control func(view, intent.Cluster) string, refused func(evidence.Handshake) bool, who ...string) result {
	var n notes
	for _, peer := range v.peers {
		if gap := control(v, peer); gap != "" {
			n.puzzles("%s", gap)
		}
		for _, as := range who {
			all, gap := attempts(v, peer, as)
			if gap != "" {
				n.puzzles("%s", gap)
			}
			for _, h := range all {
				switch {
				case refused(h):
				case silent(h):
					n.puzzles("asked with %q, %s of %s neither refused nor answered in %.0f s", as, h.Address, peer.Name, h.Seconds)
				case h.Code != 0 || h.Handshake && !alerted(h):
					n.breaks("asked with %q, %s of %s was not refused: TLS set up %t, %s", as, h.Address, peer.Name, h.Handshake, came(h))
				default:
					n.puzzles("asked with %q, %s of %s did not refuse as it must: %s", as, h.Address, peer.Name, came(h))
				}
			}
		}
	}
	return n.result("refused on the way from %s: %s", v.self.Name, strings.Join(who, ", "))
}
