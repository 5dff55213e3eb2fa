package istio

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

// Files of one cluster's certificate authority, as istiod's secret cacerts names them; they are in CADir/CLUSTER.
const (
	caCert    = "ca-cert.pem"
	caKey     = "ca-key.pem"
	rootCert  = "root-cert.pem"
	certChain = "cert-chain.pem"
	// rootKey is never given to a cluster.
	rootKey = "root-key.pem"
)

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

// MakeCA makes the mesh's certificate authorities in CADir: one root, and for each cluster of the intent an intermediate
// that it signs. With DifferentRoots each cluster gets a root of its own. Nothing is written over: a mesh may be using it.
func MakeCA(o Options) error {
	if err := os.MkdirAll(o.CADir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the mesh's CA: %w", err)
	}
	var common *authority
	for _, c := range o.Intent.Clusters {
		root := common
		if root == nil {
			name := "meshproof root " + o.Intent.RunID
			if o.DifferentRoots {
				name += " " + c.Name
			}
			made, err := newAuthority(name, nil)
			if err != nil {
				return fmt.Errorf("make the root for cluster %s: %w", c.Name, err)
			}
			if root = made; !o.DifferentRoots {
				common = made
			}
		}
		intermediate, err := newAuthority(c.Name, root)
		if err != nil {
			return fmt.Errorf("make the intermediate of cluster %s: %w", c.Name, err)
		}
		if err := save(filepath.Join(o.CADir, c.Name), root, intermediate); err != nil {
			return fmt.Errorf("write the CA of cluster %s: %w", c.Name, err)
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
	const serialBits = 127 // positive and at most 20 octets (RFC 5280, 4.1.2.2)
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
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
		caCert: intermediate.certPEM(), caKey: keyPEM, rootCert: root.certPEM(), rootKey: rootKeyPEM,
		certChain: append(intermediate.certPEM(), root.certPEM()...),
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
