// Package authority makes the certificate authorities of a mesh on kind, and certificates that they sign, as files in a
// private directory. It knows no cluster.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Files of one cluster's certificate authority, as istiod's secret cacerts names them; they are in Plan.Dir/CLUSTER.
const (
	CACert    = "ca-cert.pem"
	CAKey     = "ca-key.pem"
	RootCert  = "root-cert.pem"
	CertChain = "cert-chain.pem"
	// rootKey is never given to a cluster.
	rootKey = "root-key.pem"
)

// Files are those that istiod reads from its secret cacerts. The key of the root is not among them.
func Files() []string { return []string{CACert, CAKey, RootCert, CertChain} }

// Validity of the certificates: kept clusters must not expire under somebody's hands, and a node's clock may be behind.
const (
	caLifetime = 365 * 24 * time.Hour
	clockSkew  = time.Hour
)

// authority is a certificate with its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Plan says what Make makes.
type Plan struct {
	// Dir is a private directory; what is made for a cluster is in Dir/CLUSTER.
	Dir string
	// Name is in the names of the roots.
	Name string
	// Clusters are the clusters' names.
	Clusters []string
	// OwnRoots gives each cluster a root of its own; else one root is everybody's.
	OwnRoots bool
	// SharedIssuer has one intermediate sign for all clusters; else each has its own. OwnRoots comes before it.
	SharedIssuer bool
}

// Make makes the root, or roots, and for each cluster the intermediate that signs there. Nothing is written over: a mesh may
// be using it.
func Make(p Plan) error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the mesh's CA: %w", err)
	}
	var root, intermediate *authority
	var err error
	for _, c := range p.Clusters {
		if root == nil || p.OwnRoots {
			name := "meshproof root " + p.Name
			if p.OwnRoots {
				name += " " + c
			}
			if root, err = newAuthority(name, nil); err != nil {
				return fmt.Errorf("make the root for cluster %s: %w", c, err)
			}
		}
		if intermediate == nil || !p.SharedIssuer || p.OwnRoots {
			if intermediate, err = newAuthority(c, root); err != nil {
				return fmt.Errorf("make the intermediate of cluster %s: %w", c, err)
			}
		}
		if err := save(filepath.Join(p.Dir, c), root, intermediate); err != nil {
			return fmt.Errorf("write the CA of cluster %s: %w", c, err)
		}
	}
	return nil
}

// newAuthority makes a key and its CA certificate, signed by the parent, or by itself when there is none.
func newAuthority(name string, parent *authority) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"meshproof"}, CommonName: name},
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(caLifetime),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	signer := &authority{cert: template, key: key}
	if parent != nil {
		signer = parent
		template.MaxPathLenZero = true // an intermediate signs workloads only
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &authority{cert: cert, key: key}, err
}

func newSerial() (*big.Int, error) {
	const serialBits = 127 // positive and at most 20 octets (RFC 5280, 4.1.2.2)
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
}

func save(dir string, root, intermediate *authority) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	rootKeyPEM, rootErr := root.keyPEM()
	keyPEM, err := intermediate.keyPEM()
	if err := errors.Join(rootErr, err); err != nil {
		return err
	}
	var errs []error
	for name, content := range map[string][]byte{
		CACert: intermediate.certPEM(), CAKey: keyPEM, RootCert: root.certPEM(), rootKey: rootKeyPEM,
		CertChain: append(intermediate.certPEM(), root.certPEM()...),
	} {
		errs = append(errs, writeNew(filepath.Join(dir, name), content))
	}
	return errors.Join(errs...)
}

func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func (a *authority) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a *authority) keyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
