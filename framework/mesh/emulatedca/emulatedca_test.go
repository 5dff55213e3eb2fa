package emulatedca

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/manifest/apitest"
	"github.com/meshproof/meshproof/framework/mesh/authority"
)

func options(t *testing.T, ca string) Options {
	t.Helper()
	dir := t.TempDir()
	o := Options{
		Intent: intent.Intent{RunID: "r1", CA: ca, Fleet: "fleet", TrustDomain: "fleet.svc.id.goog", Clusters: []intent.Cluster{{Name: "east"}, {Name: "west"}}},
		Image:  "example.org/csr:1", Dir: filepath.Join(dir, "fleet"), ControlPlane: filepath.Join(dir, "own"), Limit: time.Minute,
	}
	if err := authority.Make(authority.Plan{Dir: o.ControlPlane, Name: "own", Clusters: o.Intent.Names(), OwnRoots: true}); err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t *testing.T, name ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAuthorityByCA(t *testing.T) {
	for _, tc := range []struct {
		name, ca           string
		ownRoots           bool
		oneRoot, oneIssuer bool
	}{
		{"Mesh CA is one issuer", intent.MeshCA, false, true, true},
		{"CA Service has a pool for each cluster under one root", intent.CAService, false, true, false},
		{"pools with different roots", intent.CAService, true, false, false},
		{"a fleet of two Mesh CAs", intent.MeshCA, true, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(t, tc.ca)
			o.OwnRoots = tc.ownRoots
			if err := MakeAuthority(o); err != nil {
				t.Fatal(err)
			}
			for file, alike := range map[string]bool{authority.RootCert: tc.oneRoot, authority.CACert: tc.oneIssuer} {
				if got := bytes.Equal(read(t, o.Dir, "east", file), read(t, o.Dir, "west", file)); got != alike {
					t.Errorf("%s is the same on both: %v, want %v", file, got, alike)
				}
			}
			if bytes.Equal(read(t, o.Dir, "east", authority.RootCert), read(t, o.ControlPlane, "east", authority.RootCert)) {
				t.Error("the fleet's root is istiod's own")
			}
		})
	}
}

// secrets gives the data of the manifest's secrets by name.
func secrets(t *testing.T, text []byte) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var s corev1.Secret
		if err := yaml.Unmarshal([]byte(document), &s); err != nil {
			t.Fatal(err)
		}
		if s.Kind == "Secret" {
			all[s.Name] = s.StringData
		}
	}
	return all
}

func TestManifest(t *testing.T) {
	o := options(t, intent.CAService)
	c := apitest.New(t).Cluster(t, "west")
	if _, err := o.manifest(c); err == nil || !strings.Contains(err.Error(), "read the fleet's authority") {
		t.Errorf("without an authority: %v", err)
	}
	if err := MakeAuthority(o); err != nil {
		t.Fatal(err)
	}
	text, err := o.manifest(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`image: "example.org/csr:1"`, "--trust-domain=fleet.svc.id.goog", "--audience=fleet.svc.id.goog", "namespace: emulated-ca"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the manifest has no %q", want)
		}
	}
	found := secrets(t, text)
	if own := found["authority"]; len(own) != 2 || own[authority.CertChain] != string(read(t, o.Dir, "west", authority.CertChain)) {
		t.Errorf("the authority has %d files, or not those of west's pool: want its key and its chain, and never the root's key", len(own))
	}
	pair, err := tls.X509KeyPair([]byte(found["serving"]["tls.crt"]), []byte(found["serving"]["tls.key"]))
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, o.ControlPlane, "west", authority.RootCert))
	between.AppendCertsFromPEM(read(t, o.ControlPlane, "west", authority.CACert))
	host, _, _ := strings.Cut(Address(), ":")
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between}); err != nil {
		t.Errorf("a proxy that trusts istiod's root does not take the server's certificate: %v", err)
	}
}

func TestInstallWaitsForAPod(t *testing.T) {
	o := options(t, intent.MeshCA)
	if err := MakeAuthority(o); err != nil {
		t.Fatal(err)
	}
	s := apitest.New(t)
	o.Limit = time.Nanosecond
	err := Install(t.Context(), s.Cluster(t, "east"), o)
	for _, want := range []string{"emulated CA answers", "cluster east", "emulated-ca/csr"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
