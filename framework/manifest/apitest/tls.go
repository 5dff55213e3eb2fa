package apitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Canary is in every token of a farm's kubeconfigs; it must never be seen again.
const Canary = "canary-81c2"

// Farm is API servers with TLS and names of their own, as a kubeconfig of somebody's cluster has them. Whoever asks goes
// through a proxy, which is the only one that knows where they are.
type Farm struct {
	// Proxy is the proxy's address.
	Proxy string
	// CA is the servers' certificate authority as a kubeconfig holds it.
	CA string

	byHost map[string]*Server
}

// NewFarm starts a server for each name: "east" is https://east.example.com.
func NewFarm(t *testing.T, names ...string) *Farm {
	t.Helper()
	f := &Farm{byHost: map[string]*Server{}}
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS13}
	for _, name := range names {
		s := newServer()
		s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
		s.http.TLS = config
		s.http.StartTLS()
		t.Cleanup(s.http.Close)
		f.byHost[name+".example.com:443"] = s
		f.CA = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw}))
	}
	proxy := httptest.NewServer(http.HandlerFunc(f.connect))
	t.Cleanup(proxy.Close)
	f.Proxy = proxy.URL
	return f
}

// certificate is what the servers of a farm show, and their certificate authority.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	return SelfSigned(t, &x509.Certificate{
		DNSNames: []string{"*.example.com"}, NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	})
}

// SelfSigned makes a certificate of that form, signed by itself. Its key is of P-256: with the RSA key of httptest's own, handshakes
// were a third of a test's work.
func SelfSigned(t *testing.T, form *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Server gives the server of that name.
func (f *Farm) Server(name string) *Server { return f.byHost[name+".example.com:443"] }

// Kubeconfig gives one that leads to the server of that name, in a context of that name.
func (f *Farm) Kubeconfig(name, context string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: %[1]q,
clusters: [{name: %[2]q, cluster: {server: "https://%[2]s.example.com", certificate-authority-data: %[3]s, proxy-url: %[4]q}}],
users: [{name: %[2]q, user: {token: %[5]s-%[2]s}}],
contexts: [{name: %[1]q, context: {cluster: %[2]q, user: %[2]q}}]}
`, context, name, f.CA, f.Proxy, Canary)
}

func (f *Farm) connect(w http.ResponseWriter, r *http.Request) {
	s, known := f.byHost[r.Host]
	if r.Method != http.MethodConnect || !known {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	there, err := net.Dial("tcp", s.http.Listener.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	// The answer is written after the connection is taken over: the server would still be reading it, and keep the first byte.
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}
