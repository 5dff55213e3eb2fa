package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// SignWorkload makes a workload's certificate with that SPIFFE id, as istiod would, and gives it with its chain, and its key,
// both as PEM. The authority is the directory of one cluster in a Plan.Dir; "" is one that nobody knows.
func SignWorkload(authorityDir, id string, from, to time.Time) (certificate, key string, err error) {
	uri, err := url.Parse(id)
	if err != nil {
		return "", "", fmt.Errorf("read the identity %q: %w", id, err)
	}
	return signLeaf(authorityDir, &x509.Certificate{
		NotBefore: from, NotAfter: to, URIs: []*url.URL{uri},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
}

// SignServer makes the certificate of a server with that DNS name, in the same form, valid as long as the authority is made for.
func SignServer(authorityDir, dnsName string) (certificate, key string, err error) {
	now := time.Now()
	return signLeaf(authorityDir, &x509.Certificate{
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(caLifetime), DNSNames: []string{dnsName},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

func signLeaf(authorityDir string, template *x509.Certificate) (certificate, key string, err error) {
	signer, chain, err := openAuthority(authorityDir)
	if err != nil {
		return "", "", err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	if template.SerialNumber, err = newSerial(); err != nil {
		return "", "", err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &private.PublicKey, signer.key)
	if err != nil {
		return "", "", fmt.Errorf("sign a certificate for %v%v: %w", template.URIs, template.DNSNames, err)
	}
	keyPEM, err := (&authority{key: private}).keyPEM()
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return string(leaf) + string(chain), string(keyPEM), err
}

// openAuthority reads what Make wrote for one cluster, or makes one.
func openAuthority(dir string) (*authority, []byte, error) {
	if dir == "" {
		a, err := newAuthority("unknown", nil)
		if err != nil {
			return nil, nil, err
		}
		return a, a.certPEM(), nil
	}
	var read [3][]byte
	for i, name := range []string{CACert, CAKey, CertChain} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, fmt.Errorf("read the authority of a cluster: %w", err)
		}
		read[i] = content
	}
	certBlock, _ := pem.Decode(read[0])
	keyBlock, _ := pem.Decode(read[1])
	if certBlock == nil || keyBlock == nil {
		return nil, nil, fmt.Errorf("read the authority of a cluster: %s holds no PEM", dir)
	}
	cert, certErr := x509.ParseCertificate(certBlock.Bytes)
	parsed, keyErr := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, nil, fmt.Errorf("read the authority of a cluster in %s: %w", dir, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("read the authority of a cluster in %s: its key is a %T", dir, parsed)
	}
	return &authority{cert: cert, key: private}, read[2], nil
}
