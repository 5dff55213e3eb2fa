package evidence

import (
	"fmt"
	"slices"
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
}

// Certificates gives what /certs shows, each leaf and each root once (an Envoy lists them again for every TLS context), and
// without the entries that hold no leaf.
func (p Proxy) Certificates() ([]Certificate, error) {
	fail := func(err error) ([]Certificate, error) {
		return nil, fmt.Errorf("read certificates of proxy %s/%s: %w", p.Namespace, p.Pod, err)
	}
	if absent(p.Certs) {
		return fail(ErrNotCollected)
	}
	var page admin.Certificates
	if err := protomarshal.UnmarshalAllowUnknown(p.Certs, &page); err != nil {
		return fail(err)
	}
	var roots []string
	var found []Certificate
	for _, c := range page.GetCertificates() {
		for _, root := range c.GetCaCert() {
			roots = append(roots, root.GetSerialNumber())
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
	slices.Sort(roots)
	roots = slices.Compact(roots)
	for i := range found {
		found[i].RootSerials = roots
	}
	return found, nil
}
