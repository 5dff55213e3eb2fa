package evidence

import (
	"path"
	"time"
)

// Handshake is one connection to a peer's east-west gateway, made by a probe pod of ours as somebody whom the mesh must
// take, or must refuse. All of one cluster are in handshakes.json. No key and no certificate of a client is kept.
type Handshake struct {
	At time.Time `json:"at"`
	// To is the name of the cluster whose gateway was asked.
	To      string `json:"to"`
	Pod     string `json:"pod"`
	Address string `json:"address"` // host:port
	// As says who asked, one of the As... names.
	As string `json:"as"`
	// Connected tells that TCP was set up, Handshake that TLS was, as the client sees it.
	Connected bool `json:"connected"`
	Handshake bool `json:"handshake"`
	// Peer is the SPIFFE id that was shown.
	Peer string `json:"peer,omitempty"`
	// Code and Body of the HTTP answer; 0 when there was none.
	Code int    `json:"code"`
	Body string `json:"body,omitempty"`
	// Phase in which it ended without an answer: dial, handshake, write or read; and why.
	Phase   string  `json:"phase,omitempty"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Who asks. All but the first three know the server name of helloworld and Istio's protocol, as sidecars do.
const (
	AsPlain       = "plaintext"        // HTTP without TLS
	AsNobody      = "no server name"   // TLS without SNI
	AsUnknownName = "unknown name"     // the name of a service that is not there
	AsNoProtocol  = "no protocol"      // the right name, without ALPN
	AsWeb         = "http/1.1"         // the right name, with another ALPN
	AsAnonymous   = "no certificate"   // without a certificate
	AsMember      = "mesh certificate" // with one of the mesh's root, for sleep's identity
	AsForeigner   = "foreign root"     // with one of a root of nobody
	AsExpired     = "expired certificate"
	AsFuture      = "future certificate"
	AsStranger    = "other account"      // of the mesh's root, for another account of the mesh
	AsOtherDomain = "other trust domain" // of the mesh's root, for an identity of another trust domain
)

const handshakesFile = "handshakes.json"

// FileOfHandshakes names the file of what a cluster's probe pod was told by its peers' gateways.
func FileOfHandshakes(epoch, cluster string) string { return path.Join(epoch, cluster, handshakesFile) }

// HandshakesAs gives the handshakes with the gateway of a cluster that were made as somebody.
func (c *Cluster) HandshakesAs(to, as string) []Handshake {
	var all []Handshake
	if c == nil {
		return nil
	}
	for _, h := range c.Handshakes {
		if h.To == to && h.As == as {
			all = append(all, h)
		}
	}
	return all
}
