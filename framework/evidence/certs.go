package evidence

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	admin "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	"istio.io/istio/pkg/util/protomarshal"
)

// Certificate is one certificate that an Envoy shows to others, with the roots that it trusts beside it.
type Certificate struct {
	// Serial is the leaf's serial number, in hex.
	Serial string
	// URIs are the leaf's SPIFFE identities: spiffe://cluster.local/ns/sample/sa/sleep.
	URIs                []string
	NotBefore, NotAfter time.Time
	// RootSerials are the serial numbers of the trusted roots, in hex.
	RootSerials []string
	// Roots are the trusted roots with their validity, in the order of their serials.
	Roots []Root
}

// Root is one certificate that an Envoy trusts.
type Root struct {
	// Serial number, in hex.
	Serial              string
	NotBefore, NotAfter time.Time
}

// Certificates gives what /certs shows, each leaf and each root once (an Envoy lists them again for every TLS context), and
// without the entries that hold no leaf.
func (p Proxy) Certificates() ([]Certificate, error) {
	fail := func(err error) ([]Certificate, error) {
		return nil, fmt.Errorf("read certificates of proxy %s/%s: %w", p.Namespace, p.Pod, err)
	}
	page, err := once(p.decoded, "certs", p.Certs, decodeCerts)
	if err != nil {
		return fail(err)
	}
	var roots []Root
	var found []Certificate
	for _, c := range page.GetCertificates() {
		for _, root := range c.GetCaCert() {
			roots = append(roots, Root{Serial: root.GetSerialNumber(), NotBefore: root.GetValidFrom().AsTime(), NotAfter: root.GetExpirationTime().AsTime()})
		}
		if len(c.GetCertChain()) == 0 {
			continue
		}
		leaf := c.GetCertChain()[0]
		if slices.ContainsFunc(found, func(f Certificate) bool { return f.Serial == leaf.GetSerialNumber() }) {
			continue
		}
		cert := Certificate{Serial: leaf.GetSerialNumber(), NotBefore: leaf.GetValidFrom().AsTime(), NotAfter: leaf.GetExpirationTime().AsTime()}
		for _, name := range leaf.GetSubjectAltNames() {
			if name.GetUri() != "" {
				cert.URIs = append(cert.URIs, name.GetUri())
			}
		}
		found = append(found, cert)
	}
	slices.SortStableFunc(roots, func(a, b Root) int { return strings.Compare(a.Serial, b.Serial) })
	roots = slices.CompactFunc(roots, func(a, b Root) bool { return a.Serial == b.Serial })
	var serials []string
	for _, r := range roots {
		serials = append(serials, r.Serial)
	}
	for i := range found {
		found[i].RootSerials, found[i].Roots = serials, roots
	}
	return found, nil
}

func decodeCerts(_ string, body json.RawMessage) (*admin.Certificates, error) {
	if absent(body) {
		return nil, ErrNotCollected
	}
	page := new(admin.Certificates)
	return page, protomarshal.UnmarshalAllowUnknown(body, page)
}
