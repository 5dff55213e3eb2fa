package claim

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// The kinds of evidence of one cluster that a spoiled run swaps or lacks.
const (
	objectsSeen = "objects"
	dialled     = "dials"
	shaken      = "handshakes"
	traffic     = "calls"
	istiodPages = "istiods"
	envoys      = "proxies"
)

// swap puts one kind of evidence of another look at a cluster in place of its own.
func swap(kind string, of, by *evidence.Cluster) {
	switch kind {
	case objectsSeen:
		of.Kubernetes = by.Kubernetes
	case dialled:
		of.Dials = by.Dials
	case shaken:
		of.Handshakes = by.Handshakes
	case traffic:
		of.Traffic = by.Traffic
	case istiodPages:
		of.Istiods = by.Istiods
	case envoys:
		of.Proxies = by.Proxies
	}
}

// seenOf is one kind of evidence of one cluster.
type seenOf struct{ cluster, kind string }

// shownBy tells of each disruption what alone, seen as it is after the repair, must make its claim fail, and the reason; and
// what must be seen to go on, without which nothing is shown.
func shownBy() map[string]struct {
	symptom seenOf
	held    string
	control seenOf
} {
	type row = struct {
		symptom seenOf
		held    string
		control seenOf
	}
	return map[string]row{
		"identity-denied":           {seenOf{east, shaken}, "accepts-mesh-certificate (east to west) held all the same", seenOf{east, traffic}},
		"identity-allowed":          {seenOf{east, shaken}, `asked with "other account", `, seenOf{east, traffic}},
		"service-private":           {seenOf{east, shaken}, "accepts-mesh-certificate (east to west) held all the same", seenOf{east, dialled}},
		"mtls-disabled":             {seenOf{east, shaken}, "accepts-mesh-certificate (east to west) held all the same", seenOf{east, dialled}},
		"not-injected":              {seenOf{east, envoys}, "endpoints-across-gateway (east to west) held all the same", seenOf{east, dialled}},
		"gateway-scaled-to-zero":    {seenOf{east, dialled}, "gateway-reached (east to west) held all the same", seenOf{east, istiodPages}},
		"gateway-unexposed":         {seenOf{west, envoys}, "gateway-listener (west) held all the same", seenOf{west, traffic}},
		"remote-secret-deleted":     {seenOf{east, istiodPages}, "remote-clusters-synced (east) held all the same", seenOf{west, istiodPages}},
		"remote-secret-unreachable": {seenOf{east, envoys}, "endpoints-across-gateway (east to west) held all the same", seenOf{west, traffic}},
		"gateway-service-deleted":   {seenOf{west, objectsSeen}, "gateway-address (west) held all the same", seenOf{east, istiodPages}},
		"different-roots":           {seenOf{east, shaken}, "accepts-mesh-certificate (east to west) held all the same", seenOf{east, dialled}},
		"wrong-revision":            {seenOf{west, objectsSeen}, "namespace-labelled (west) held all the same", seenOf{east, dialled}},
		"same-network":              {seenOf{east, envoys}, "sleep on east holds no pod's address of another cluster", seenOf{east, dialled}},
		"service-deleted":           {seenOf{east, traffic}, "guide-calls (east to west) held all the same", seenOf{west, traffic}},
	}
}

// TestRecordedDisruptionsSpoiled spoils what was recorded of each denial: one kind of evidence at a time.
func TestRecordedDisruptionsSpoiled(t *testing.T) {
	for _, d := range disruptions() {
		shown, there := shownBy()[d.id]
		if !there {
			t.Errorf("nothing is said of what shows %s", d.id)
			continue
		}
		broken, repaired := evidence.Broken(d.id), evidence.Repaired(d.id)
		lost := func(what seenOf) func(evidence.Run) {
			return func(run evidence.Run) { swap(what.kind, run.Cluster(broken, what.cluster), &evidence.Cluster{}) }
		}
		for _, tc := range []spoiled{
			{"nothing shows in one kind of evidence", d.claim, "mesh", func(run evidence.Run) {
				swap(shown.symptom.kind, run.Cluster(broken, shown.symptom.cluster), run.Cluster(repaired, shown.symptom.cluster))
			}, Failed, shown.held},
			{"the mesh is not whole afterwards", d.claim, "mesh", func(run evidence.Run) { withoutGateway(run.Cluster(repaired, west)) }, Failed,
				"after the repair, gateway-available (west) failed"},
			{"what must show it is not there", d.claim, "mesh", lost(shown.symptom), Inconclusive, broken + "/" + shown.symptom.cluster},
			{"what must go on is not there", d.claim, "mesh", lost(shown.control), Inconclusive, broken + "/" + shown.control.cluster},
			{"not looked at", d.claim, "mesh", func(run evidence.Run) { delete(run.Epochs, broken) }, Inconclusive, broken},
			{"not looked at again", d.claim, "mesh", func(run evidence.Run) { delete(run.Epochs, repaired) }, Inconclusive, repaired},
		} {
			judgeRecorded(t, tc, broken, repaired)
		}
	}
}

// judgeRecorded judges one claim over the recorded run, of which these epochs are spoiled.
func judgeRecorded(t *testing.T, tc spoiled, epochs ...string) {
	t.Helper()
	t.Run(tc.claim+"/"+tc.name, func(t *testing.T) {
		run := recordedDisruptive(t, epochs...)
		tc.spoil(run)
		if f := one(t, run, tc.claim, tc.subject); f.Verdict != tc.verdict || !strings.Contains(f.Reason, tc.reason) {
			t.Errorf("%s: %s\nwant %s: ...%s...", f.Verdict, f.Reason, tc.verdict, tc.reason)
		}
	})
}

// withoutGateway leaves no replica of the gateway available.
func withoutGateway(c *evidence.Cluster) {
	for i := range c.Kubernetes.Deployments {
		if strings.Contains(c.Kubernetes.Deployments[i].Name, "eastwestgateway") {
			c.Kubernetes.Deployments[i].Available = 0
		}
	}
}

// TestRecordedIdentitiesSpoiled: a denial by identity shows something only where another identity is treated otherwise.
func TestRecordedIdentitiesSpoiled(t *testing.T) {
	for _, tc := range []struct {
		id   string
		code int // what the other account is given in place of what it must be
	}{{"identity-denied", forbidden}, {"identity-allowed", ok}} {
		broken, claim := evidence.Broken(tc.id), OfDisruption(tc.id)
		stranger := func(run evidence.Run, change func(*evidence.Handshake)) {
			for i, h := range run.Cluster(broken, east).Handshakes {
				if h.As == evidence.AsStranger {
					change(&run.Cluster(broken, east).Handshakes[i])
				}
			}
		}
		judgeRecorded(t, spoiled{"both accounts are told the same", claim, "mesh", func(run evidence.Run) {
			stranger(run, func(h *evidence.Handshake) { h.Code = tc.code })
		}, Failed, `asked with "` + evidence.AsStranger + `"`}, broken)
		judgeRecorded(t, spoiled{"the other account did not ask", claim, "mesh", func(run evidence.Run) {
			c := run.Cluster(broken, east)
			c.Handshakes = slices.DeleteFunc(c.Handshakes, func(h evidence.Handshake) bool { return h.As == evidence.AsStranger })
		}, Inconclusive, `no attempt with "` + evidence.AsStranger + `"`}, broken)
	}
}

// TestRecordedRefusalsSpoiled: each refusal of the joined mesh's gateways, let in, and without who must be let in beside it.
func TestRecordedRefusalsSpoiled(t *testing.T) {
	asked := func(as string, change func(*evidence.Handshake)) func(evidence.Run) {
		return func(run evidence.Run) {
			for i, h := range run.Cluster(evidence.Joined, east).Handshakes {
				if h.As == as {
					change(&run.Cluster(evidence.Joined, east).Handshakes[i])
				}
			}
		}
	}
	shut := func(h *evidence.Handshake) {
		h.Handshake, h.Code, h.Peer, h.Phase, h.Error = false, 0, "", "handshake", "read: connection reset by peer"
	}
	answered := func(h *evidence.Handshake) { h.Handshake, h.Code, h.Phase, h.Error = true, ok, "", "" }
	const nobody = "a refusal shows nothing where nobody is let in"
	for _, c := range []struct{ claim, as, control string }{
		{"denies-plaintext", evidence.AsPlain, evidence.AsAnonymous},
		{"denies-unknown-names", evidence.AsUnknownName, evidence.AsAnonymous},
		{"denies-foreign-protocols", evidence.AsWeb, evidence.AsAnonymous},
		{"denies-missing-certificate", evidence.AsAnonymous, evidence.AsMember},
		{"denies-foreign-certificates", evidence.AsForeigner, evidence.AsMember},
	} {
		judgeRecorded(t, spoiled{"let in", c.claim, eastToWest, asked(c.as, answered), Failed, `asked with "` + c.as + `"`}, evidence.Joined)
		judgeRecorded(t, spoiled{"nobody is let in", c.claim, eastToWest, asked(c.control, shut), Inconclusive, nobody}, evidence.Joined)
		judgeRecorded(t, spoiled{"not asked", c.claim, eastToWest, asked(c.as, func(h *evidence.Handshake) { h.As = "somebody else" }), Inconclusive, c.as}, evidence.Joined)
	}
	const accepts = "accepts-mesh-certificate"
	judgeRecorded(t, spoiled{"refused", accepts, eastToWest, asked(evidence.AsMember, shut), Failed, "with a certificate of the mesh"}, evidence.Joined)
	judgeRecorded(t, spoiled{"not asked", accepts, eastToWest, func(run evidence.Run) { run.Cluster(evidence.Joined, east).Handshakes = nil },
		Inconclusive, evidence.FileOfHandshakes(evidence.Joined, east)}, evidence.Joined)
}
