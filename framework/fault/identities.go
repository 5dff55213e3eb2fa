package fault

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// identities are the faults in certificates.
func identities() []Fault {
	certified := func(id, sentence string, from, to time.Duration) Fault {
		return Fault{
			ID: id, Sentence: sentence, Verdict: claim.Failed, Cause: "certificate-not-valid", Samples: 60,
			Break: func(ctx context.Context, r *Rig) error {
				now := time.Now()
				text, err := r.certificate(now.Add(from), now.Add(to))
				if err != nil {
					return err
				}
				return errors.Join(r.apply(ctx, r.west(), text), r.template(ctx, mounted), r.freshClient(ctx, r.east()))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.template(ctx, unmounted), r.in(ctx, r.west(), sample, "delete secret --ignore-not-found planted-certificate"),
					r.freshClient(ctx, r.east()))
			},
		}
	}
	return []Fault{
		certified("certificate-expired", "the certificate of helloworld on west expired an hour ago", -48*time.Hour, -time.Hour),
		certified("certificate-from-the-future", "the certificate of helloworld on west is valid from tomorrow", 24*time.Hour, 48*time.Hour),
		{
			ID: "different-roots", Sentence: "west's certificate authority has a root of its own", Verdict: claim.Failed, Cause: "different-roots", Samples: 60,
			Break: func(ctx context.Context, r *Rig) error {
				other := r.Mesh
				other.CADir, other.DifferentRoots = filepath.Join(r.Dir, "other-ca"), true
				if err := istio.MakeCA(other); err != nil && !errors.Is(err, os.ErrExist) {
					return err
				}
				return r.authority(ctx, other.CADir)
			},
			Repair: func(ctx context.Context, r *Rig) error { return r.authority(ctx, r.Mesh.CADir) },
		},
	}
}

// authority gives west the certificate authority in a directory, and makes everything anew that has a certificate of the
// one before.
func (r *Rig) authority(ctx context.Context, dir string) error {
	at := func(name string) string { return filepath.Join(dir, r.west().Name, name) }
	text, err := r.kubectl(ctx, r.west(), "", "-n", system, "create", "secret", "generic", "cacerts", "--dry-run=client", "-o", "yaml",
		"--from-file=ca-cert.pem="+at("ca-cert.pem"), "--from-file=ca-key.pem="+at("ca-key.pem"),
		"--from-file=root-cert.pem="+at("root-cert.pem"), "--from-file=cert-chain.pem="+at("cert-chain.pem"))
	if err != nil {
		return err
	}
	if _, err := r.kubectl(ctx, r.west(), text, "apply", "--server-side", "--force-conflicts", "-f", "-"); err != nil {
		return err
	}
	if err := r.freshIstiod(ctx, r.west()); err != nil {
		return err
	}
	return errors.Join(r.freshGateway(ctx, r.west()), r.freshServer(ctx, r.west()), r.freshClient(ctx, r.west()), r.crossing(ctx), r.freshClient(ctx, r.east()))
}

// A proxy takes a certificate from files where it finds them (Istio's pkg/security: WorkloadIdentityCredentialsPath).
const (
	mounted = `{"metadata":{"annotations":{` +
		`"sidecar.istio.io/userVolume":"{\"planted\":{\"secret\":{\"secretName\":\"planted-certificate\"}}}",` +
		`"sidecar.istio.io/userVolumeMount":"{\"planted\":{\"mountPath\":\"/var/run/secrets/workload-spiffe-credentials\",\"readOnly\":true}}"}}}`
	unmounted = `{"metadata":{"annotations":{"sidecar.istio.io/userVolume":null,"sidecar.istio.io/userVolumeMount":null}}}`
)

// certificate gives a secret with a certificate of helloworld's identity, signed by west's own authority.
func (r *Rig) certificate(from, to time.Time) (string, error) {
	dir := filepath.Join(r.Mesh.CADir, r.west().Name)
	var read [4][]byte
	for i, name := range []string{"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("read the authority of cluster %s: %w", r.west().Name, err)
		}
		read[i] = content
	}
	block, _ := pem.Decode(read[0])
	keyBlock, _ := pem.Decode(read[1])
	if block == nil || keyBlock == nil {
		return "", fmt.Errorf("read the authority of cluster %s: no PEM in %s", r.west().Name, dir)
	}
	parent, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("read the authority of cluster %s: %w", r.west().Name, err)
	}
	signer, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return "", fmt.Errorf("read the authority of cluster %s: %w", r.west().Name, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	id, err := url.Parse("spiffe://" + r.Intent.TrustDomain + "/ns/" + sample + "/sa/default")
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(from.UnixNano()), NotBefore: from, NotAfter: to, URIs: []*url.URL{id},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return "", fmt.Errorf("sign a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), read[2]...)
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: planted-certificate, namespace: %s}\nstringData:\n%s%s%s", sample,
		entry("certificates.pem", chain), entry("private_key.pem", private), entry("ca_certificates.pem", read[3])), nil
}

// entry is one key of a YAML map with a text of several lines.
func entry(name string, text []byte) string {
	return fmt.Sprintf("  %s: %q\n", name, text)
}
