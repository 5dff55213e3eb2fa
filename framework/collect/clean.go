package collect

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// keptSections are the sections of a config dump that become evidence, each with what is kept of it. The others go at once:
// bootstrap holds the pod's whole environment, secrets what its name says, and extensions anything at all.
func keptSections() []keptSection {
	return []keptSection{
		{"ClustersConfigDump", new(keptClusters)}, {"EndpointsConfigDump", new(keptEndpoints)},
		{"ListenersConfigDump", new(keptListeners)}, {"RoutesConfigDump", new(keptRoutes)},
	}
}

type keptSection struct {
	name string
	kept any
}

// cleanDump cuts a config dump to what is kept, and takes the digests of the trusted root from its section on secrets. A section that
// cannot be cut is left out, and the error names it: the others and the root are given all the same.
func cleanDump(dump json.RawMessage) (kept json.RawMessage, root roots, err error) {
	sections, err := evidence.Sections(dump)
	if err != nil {
		return nil, roots{}, fmt.Errorf("split the config dump: %w", err)
	}
	var page struct {
		Configs []any `json:"configs"`
	}
	var errs []error
	for _, s := range keptSections() {
		section, ok := sections[s.name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(section, s.kept); err != nil { // what is not named in the type is not decoded
			errs = append(errs, fmt.Errorf("cut %s: %w", s.name, err))
			continue
		}
		page.Configs = append(page.Configs, s.kept)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(page); err != nil {
		return nil, roots{}, fmt.Errorf("cut the config dump: %w", err)
	}
	root, err = trustedRoot(sections["SecretsConfigDump"])
	return evidence.Compact(b.Bytes()), root, errors.Join(append(errs, err)...)
}

// systemRoots is the bundle of the operating system, which rules with TLS of their own add (Istio's FileRootSystemCACert).
const systemRoots = "file-root:system"

// trustedRoot gives the digests of the root that the proxy trusts for the mesh: Istio's secret ROOTCA, which mounted certificates
// replace by a root from a file. It is empty when the proxy holds none, or several files without ROOTCA: rules may name files too,
// and nothing tells which is the mesh's. Nothing else of the section is decoded.
func trustedRoot(secrets json.RawMessage) (roots, error) {
	if len(secrets) == 0 {
		return roots{}, nil
	}
	var section struct {
		Active []struct {
			Name   string `json:"name"`
			Secret struct {
				Validation struct {
					TrustedCA struct {
						Inline []byte `json:"inline_bytes"`
					} `json:"trusted_ca"`
				} `json:"validation_context"`
			} `json:"secret"`
		} `json:"dynamic_active_secrets"`
	}
	if err := json.Unmarshal(secrets, &section); err != nil {
		return roots{}, fmt.Errorf("read the trusted root: %w", err)
	}
	files := map[string]bool{}
	var file roots
	for _, s := range section.Active {
		root := s.Secret.Validation.TrustedCA.Inline
		switch {
		case s.Name == "ROOTCA":
			return rootsIn(root), nil
		case strings.HasPrefix(s.Name, "file-root:") && s.Name != systemRoots:
			file = rootsIn(root)
			files[file.set] = true
		}
	}
	if len(files) != 1 {
		return roots{}, nil
	}
	return file, nil
}

// RootDigest is the SHA-256 (hex) of the certificate in a PEM text, which may be wrapped in base64 once more; empty when there is
// none. Of several, as there are while roots are rotated, it is that of the sorted set: files and agents order them differently.
func RootDigest(text []byte) string { return rootsIn(text).set }

// roots are the digest of all certificates of a PEM text, as RootDigest gives it, and those of each, sorted.
type roots struct {
	set  string
	each []string
}

func rootsIn(text []byte) roots {
	all := certificatesIn(text)
	if len(all) == 0 {
		if unwrapped, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text))); err == nil {
			all = certificatesIn(unwrapped)
		}
	}
	if len(all) == 0 {
		return roots{}
	}
	slices.SortFunc(all, bytes.Compare)
	all = slices.CompactFunc(all, bytes.Equal)
	found := roots{set: digest(bytes.Join(all, nil))}
	for _, one := range all {
		found.each = append(found.each, digest(one))
	}
	slices.Sort(found.each)
	return found
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func certificatesIn(text []byte) (found [][]byte) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		found = append(found, block.Bytes)
	}
	return found
}
