package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Finished is a run as its report directory tells of it, without its evidence.
type Finished struct {
	Findings    Findings
	conformance conformanceReport
}

// ReadDir reads findings.json and conformance.yaml of a report directory. Files of another version, with unknown keys or of
// two different runs are refused: what is not understood cannot be compared.
func ReadDir(dir string) (Finished, error) {
	var f Finished
	body, err := os.ReadFile(filepath.Join(dir, FindingsFile))
	if err != nil {
		return f, fmt.Errorf("read the report in %s: %w: give a report directory, such as reports/latest", dir, err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.Findings); err != nil {
		return f, fmt.Errorf("read %s in %s: %w: give a report that this version has written", FindingsFile, dir, err)
	}
	if body, err = os.ReadFile(filepath.Join(dir, ConformanceFile)); err != nil {
		return f, fmt.Errorf("read the report in %s: %w: give a report directory with all of its files", dir, err)
	}
	if err := yaml.UnmarshalStrict(body, &f.conformance); err != nil {
		return f, fmt.Errorf("read %s in %s: %w: give a report that this version has written", ConformanceFile, dir, err)
	}
	for _, is := range []struct{ file, got, want string }{{FindingsFile, f.Findings.Schema, schema}, {ConformanceFile, f.conformance.Schema, conformanceSchema}} {
		if is.got != is.want {
			return f, fmt.Errorf("read %s in %s: it is of the form %q, and this program reads %s: use the version that wrote it", is.file, dir, is.got, is.want)
		}
	}
	if f.Findings.RunID != f.conformance.RunID {
		return f, fmt.Errorf("read the report in %s: %s is of run %q and %s of run %q: give a directory as a run has written it",
			dir, FindingsFile, f.Findings.RunID, ConformanceFile, f.conformance.RunID)
	}
	return f, nil
}

// fact is one thing that a run was made with or that it saw, by name.
type fact struct{ name, value string }

// tested tells what was tested: what the run expected, and the fingerprint of each cluster. Addresses are left out: they are
// where a cluster is, not what it is.
func (f Finished) tested() []fact {
	in := f.conformance.Intent
	all := []fact{
		{"platform", in.Platform}, {"CA", in.Authority()}, {"mode", string(in.Mode)}, {"clusters from", string(in.Provision)}, {"revision", in.Revision},
		{"trust domain", in.TrustDomain}, {"calls a direction", strconv.Itoa(in.Samples)}, {"planted", strings.Join(in.Planted, ", ")},
		{"disruptions", strconv.Itoa(len(in.Disruptions) + len(in.Injections))},
	}
	for _, c := range f.conformance.Clusters {
		all = append(all, fact{c.Name + " Kubernetes", c.Kubernetes}, fact{c.Name + " istiod", strings.Join(c.Istiod, ", ")},
			fact{c.Name + " proxies", strings.Join(c.Proxies, ", ")}, fact{c.Name + " root (SHA-256)", c.Root})
	}
	return all
}
