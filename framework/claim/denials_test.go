package claim

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

func TestDenials(t *testing.T) {
	const reset = "read: connection reset by peer"
	asked := func(as string, change func(*evidence.Handshake)) func(evidence.Run) {
		return func(run evidence.Run) { change(example.Handshake(run, east, as)) }
	}
	answered := func(h *evidence.Handshake) { h.Handshake, h.Code, h.Phase, h.Error = true, 200, "", "" }
	shut := func(h *evidence.Handshake) {
		h.Handshake, h.Code, h.Peer, h.Phase, h.Error = false, 0, "", "handshake", reset
	}
	unreached := func(h *evidence.Handshake) {
		h.Connected, h.Handshake, h.Code, h.Phase, h.Error = false, false, 0, "dial", "i/o timeout"
	}
	silent := func(phase string) func(*evidence.Handshake) { // packets are dropped on the way, or the gateway hangs
		return func(h *evidence.Handshake) {
			h.Connected, h.Handshake, h.Code, h.Peer, h.Phase, h.Seconds = true, false, 0, "", phase, 5.001
			h.Error = "read tcp 10.244.0.7:60992->172.18.252.1:15443: i/o timeout"
		}
	}
	lost := func(as string) func(evidence.Run) {
		return asked(as, func(h *evidence.Handshake) { h.As = "somebody else" })
	}
	judgeAll(t, []spoiled{
		{"no answer", "accepts-mesh-certificate", eastToWest, asked(evidence.AsMember, shut), Failed, "with a certificate of the mesh, 172.18.252.1:15443 of west gave no answer (handshake"},
		{"503", "accepts-mesh-certificate", eastToWest, asked(evidence.AsMember, func(h *evidence.Handshake) { h.Code = 503 }), Failed, "the HTTP answer 503"},
		{"the wrong version", "accepts-mesh-certificate", eastToWest, asked(evidence.AsMember, func(h *evidence.Handshake) {
			h.Body = "Hello version: v1, instance: helloworld-v1-1\n"
		}), Failed, "somebody else than v2 answered"},
		{"not asked", "accepts-mesh-certificate", eastToWest, lost(evidence.AsMember), Inconclusive, "no attempt with \"mesh certificate\" at 172.18.252.1"},
		{"a second address was not asked", "accepts-mesh-certificate", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = append(gatewayService(run).Addresses, "172.18.252.9")
		}, Inconclusive, "172.18.252.9"},
		{"an address of IPv6", "accepts-mesh-certificate", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses = []string{"2001:db8::1"}
			for i := range example.Cluster(run, east).Handshakes {
				example.Cluster(run, east).Handshakes[i].Address = "[2001:db8::1]:15443"
			}
		}, Passed, "[2001:db8::1]:15443"},
		{"no address", "accepts-mesh-certificate", eastToWest, func(run evidence.Run) {
			gatewayService(run).Addresses, example.Cluster(run, east).Handshakes[6].To = nil, "nowhere"
		}, Inconclusive, "no address that could be asked"},

		{"answered", "denies-plaintext", eastToWest, asked(evidence.AsPlain, func(h *evidence.Handshake) { answered(h); h.Handshake = false }), Failed, "was not refused: TLS set up false, the HTTP answer 200"},
		{"not asked", "denies-plaintext", eastToWest, lost(evidence.AsPlain), Inconclusive, "no attempt with \"plaintext\""},
		{"the gateway is not there", "denies-plaintext", eastToWest, asked(evidence.AsPlain, unreached), Inconclusive, "i/o timeout"},
		{"nobody is let in", "denies-plaintext", eastToWest, asked(evidence.AsAnonymous, shut), Inconclusive, "a refusal shows nothing"},
		{"neither answered nor ended", "denies-plaintext", eastToWest, asked(evidence.AsPlain, silent("read")), Inconclusive, "neither refused nor answered in 5 s"},

		{"TLS without a name", "denies-unknown-names", eastToWest, asked(evidence.AsNobody, answered), Failed, "asked with \"no server name\""},
		{"a certificate for a service that is not there", "denies-unknown-names", eastToWest, asked(evidence.AsUnknownName, func(h *evidence.Handshake) {
			h.Handshake, h.Phase, h.Error = true, "read", "EOF"
		}), Failed, "asked with \"unknown name\""},
		{"not asked", "denies-unknown-names", eastToWest, lost(evidence.AsUnknownName), Inconclusive, "unknown name"},
		{"neither answered nor ended", "denies-unknown-names", eastToWest, asked(evidence.AsNobody, silent("handshake")), Inconclusive,
			"asked with \"no server name\", 172.18.252.1:15443 of west neither refused nor answered in 5 s"},

		{"without ALPN", "denies-foreign-protocols", eastToWest, asked(evidence.AsNoProtocol, answered), Failed, "asked with \"no protocol\""},
		{"with http/1.1", "denies-foreign-protocols", eastToWest, asked(evidence.AsWeb, answered), Failed, "asked with \"http/1.1\""},
		{"the gateway is not there", "denies-foreign-protocols", eastToWest, asked(evidence.AsWeb, unreached), Inconclusive, "dial"},
		{"neither answered nor ended", "denies-foreign-protocols", eastToWest, asked(evidence.AsWeb, silent("handshake")), Inconclusive, "neither refused nor answered"},

		{"answered", "denies-missing-certificate", eastToWest, asked(evidence.AsAnonymous, answered), Failed, "was not refused: TLS set up true, the HTTP answer 200"},
		{"nobody is let in", "denies-missing-certificate", eastToWest, asked(evidence.AsMember, shut), Inconclusive, "a refusal shows nothing"},
		{"ended without an alert", "denies-missing-certificate", eastToWest, asked(evidence.AsAnonymous, shut), Inconclusive, "did not refuse as it must"},

		{"ended, and the alert was lost", "denies-foreign-certificates", eastToWest, asked(evidence.AsExpired, func(h *evidence.Handshake) {
			h.Handshake, h.Phase, h.Error = true, "read", "unexpected EOF"
		}), Passed, "refused on the way from east"},
		{"reset, and the alert was lost", "denies-missing-certificate", eastToWest, asked(evidence.AsAnonymous, func(h *evidence.Handshake) {
			h.Handshake, h.Phase, h.Error = true, "write", "write tcp 10.244.0.7:60992->172.18.252.1:15443: write: broken pipe"
		}), Passed, "refused on the way from east"},
		{"neither answered nor ended", "denies-foreign-certificates", eastToWest, asked(evidence.AsExpired, func(h *evidence.Handshake) {
			h.Handshake, h.Phase, h.Error = true, "read", "read tcp 10.244.0.7:60992->172.18.252.1:15443: i/o timeout"
		}), Failed, "was not refused: TLS set up true, no answer (read: i/o timeout)"},
		{"another root", "denies-foreign-certificates", eastToWest, asked(evidence.AsForeigner, answered), Failed, "asked with \"foreign root\""},
		{"expired", "denies-foreign-certificates", eastToWest, asked(evidence.AsExpired, answered), Failed, "asked with \"expired certificate\""},
		{"not yet valid", "denies-foreign-certificates", eastToWest, asked(evidence.AsFuture, answered), Failed, "asked with \"future certificate\""},
		{"another trust domain", "denies-foreign-certificates", eastToWest, asked(evidence.AsOtherDomain, answered), Failed, "asked with \"other trust domain\""},
		{"not asked", "denies-foreign-certificates", eastToWest, lost(evidence.AsExpired), Inconclusive, "expired certificate"},
		{"nobody is let in", "denies-foreign-certificates", eastToWest, asked(evidence.AsMember, unreached), Inconclusive, "a refusal shows nothing"},
	})
}

// TestDenialsThatWereNotAsked: a run without certificates of the mesh's root asks what it can, and says of the rest why not.
func TestDenialsThatWereNotAsked(t *testing.T) {
	given := example.Healthy()
	given.Intent.Certificates = false
	old := given
	old.Intent.Handshakes = false
	for _, c := range denialRules() {
		f := one(t, given, c.ID, eastToWest)
		needs := c.ID == "accepts-mesh-certificate" || c.ID == "denies-missing-certificate" || c.ID == "denies-foreign-certificates"
		if want := map[bool]Verdict{true: Skipped, false: Passed}[needs]; f.Verdict != want {
			t.Errorf("%s without certificates: %s: %s", c.ID, f.Verdict, f.Reason)
		}
		if f := one(t, old, c.ID, eastToWest); f.Verdict != Skipped || f.Level != Extended || f.Reason == "" {
			t.Errorf("%s of an older run: %s, %s: %s", c.ID, f.Level, f.Verdict, f.Reason)
		}
	}
}
