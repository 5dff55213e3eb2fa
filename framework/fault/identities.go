package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/mesh/authority"
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
				return errors.Join(r.template(ctx, unmounted), r.in(ctx, r.west(), r.sample(), "delete secret --ignore-not-found planted-certificate"),
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
				other := authority.Plan{Dir: filepath.Join(r.Dir, "other-ca"), Name: r.Intent.RunID, Clusters: r.Intent.Names(), OwnRoots: true}
				if err := authority.Make(other); err != nil && !errors.Is(err, os.ErrExist) {
					return err
				}
				return r.authority(ctx, other.Dir)
			},
			Repair: func(ctx context.Context, r *Rig) error { return r.authority(ctx, r.Mesh.CADir) },
		},
	}
}

// authority gives west the certificate authority in a directory, and makes everything anew that has a certificate of the
// one before.
func (r *Rig) authority(ctx context.Context, dir string) error {
	create := []string{"-n", system, "create", "secret", "generic", "cacerts", "--dry-run=client", "-o", "yaml"}
	for _, name := range authority.Files() {
		create = append(create, "--from-file="+name+"="+filepath.Join(dir, r.west().Name, name))
	}
	text, err := r.kubectl(ctx, r.west(), "", create...)
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

// A proxy's agent serves the workload's certificate from files where it finds them (Istio's pkg/security:
// DefaultCertChainFilePath), and still asks istiod with its token: so the sidecar becomes ready whatever the certificate says.
const (
	mounted = `{"metadata":{"annotations":{` +
		`"sidecar.istio.io/userVolume":"{\"planted\":{\"secret\":{\"secretName\":\"planted-certificate\"}}}",` +
		`"sidecar.istio.io/userVolumeMount":"{\"planted\":{\"mountPath\":\"/etc/certs\",\"readOnly\":true}}"}}}`
	unmounted = `{"metadata":{"annotations":{"sidecar.istio.io/userVolume":null,"sidecar.istio.io/userVolumeMount":null}}}`
)

// certificate gives a secret with a certificate of helloworld's identity, signed by west's own authority.
func (r *Rig) certificate(from, to time.Time) (string, error) {
	dir := filepath.Join(r.Mesh.CADir, r.west().Name)
	chain, private, err := authority.SignWorkload(dir, "spiffe://"+r.Intent.TrustDomain+"/ns/"+r.sample()+"/sa/default", from, to)
	if err != nil {
		return "", err
	}
	root, err := os.ReadFile(filepath.Join(dir, authority.RootCert))
	if err != nil {
		return "", fmt.Errorf("read the root of cluster %s: %w", r.west().Name, err)
	}
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: planted-certificate, namespace: %s}\nstringData:\n%s%s%s", r.sample(),
		entry(authority.CertChain, chain), entry("key.pem", private), entry(authority.RootCert, string(root))), nil
}

// entry is one key of a YAML map with a text of several lines.
func entry(name, text string) string {
	return fmt.Sprintf("  %s: %q\n", name, text)
}
