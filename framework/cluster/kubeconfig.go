package cluster

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/nearest"
)

// rules load the kubeconfigs as client-go does: one file must be there, of several the missing ones are passed over, and
// the first that gives a name wins. Relative paths in a file are relative to that file.
func rules(files []string) *clientcmd.ClientConfigLoadingRules {
	if len(files) == 1 {
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: files[0]}
	}
	return &clientcmd.ClientConfigLoadingRules{Precedence: files}
}

// load merges the kubeconfigs, and names the context that is meant.
func load(files []string, contextName string) (*api.Config, string, error) {
	if err := sound(files); err != nil {
		return nil, "", err
	}
	raw, err := rules(files).Load()
	if err != nil {
		return nil, "", fmt.Errorf("%w: give a kubeconfig file", err)
	}
	known := slices.Sorted(maps.Keys(raw.Contexts))
	switch {
	case len(known) == 0:
		return nil, "", errors.New("it holds no context: give a kubeconfig that leads to a cluster")
	case contextName == "" && raw.CurrentContext == "":
		return nil, "", fmt.Errorf("it has no current-context: give one of its contexts (%s) with --context, or set one with kubectl config use-context", strings.Join(known, ", "))
	case contextName == "":
		contextName = raw.CurrentContext
	}
	if raw.Contexts[contextName] == nil {
		return nil, "", fmt.Errorf("it has no context %q, but %s%s: give one of its contexts with --context",
			contextName, strings.Join(known, ", "), nearest.Hint(contextName, known))
	}
	return raw, contextName, nil
}

// sound looks at the files themselves. client-go takes an empty file for a kubeconfig, and its message about a name that
// is there twice prints everything that the file holds, tokens too.
func sound(files []string) error {
	missing := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		info, statErr := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && len(files) > 1:
			missing++
			continue
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("there is no such file: give the path of one that is there, or make it: "+
				"`aws eks update-kubeconfig --kubeconfig %[1]s`, `az aks get-credentials --file %[1]s`, or what the platform has for it", filepath.Base(file))
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("%s may not be read by this user (uid %d): give a file that it may read, or change the mode", file, os.Getuid())
		case statErr == nil && info.IsDir():
			return fmt.Errorf("%s is a directory: give the file in it", file)
		case err != nil:
			return fmt.Errorf("%w: give a kubeconfig file", err)
		case len(bytes.TrimSpace(text)) == 0:
			return fmt.Errorf("%s is empty: give a kubeconfig that leads to a cluster", file)
		}
		if err := unique(file, text); err != nil {
			return err
		}
	}
	if missing == len(files) {
		return fmt.Errorf("none of these files is there: set KUBECONFIG to files that are, or give --kubeconfig")
	}
	return nil
}

// unique refuses a file that gives a name twice. A file that is no YAML is left to client-go's message.
func unique(file string, text []byte) error {
	type named []struct {
		Name string `json:"name"`
	}
	var f struct{ Contexts, Clusters, Users named }
	if yaml.Unmarshal(text, &f) != nil {
		return nil
	}
	for _, list := range []struct {
		what  string
		names named
	}{{"contexts", f.Contexts}, {"clusters", f.Clusters}, {"users", f.Users}} {
		seen := map[string]bool{}
		for _, n := range list.names {
			if seen[n.Name] {
				return fmt.Errorf("%s has two %s named %q, and it cannot be told which is meant: rename or remove one", file, list.what, n.Name)
			}
			seen[n.Name] = true
		}
	}
	return nil
}

// inTime refuses a client certificate that the API server would not take at this moment.
func inTime(cfg *rest.Config, now time.Time) error {
	text := cfg.CertData
	if len(text) == 0 && cfg.CertFile != "" {
		var err error
		if text, err = os.ReadFile(cfg.CertFile); err != nil {
			return fmt.Errorf("read the client certificate: %w: give a kubeconfig whose files are there", err)
		}
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil // there is none, or client-go says what is wrong with it
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return nil
	case now.After(c.NotAfter):
		return fmt.Errorf("its client certificate expired at %s: get a new kubeconfig from the platform", c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("its client certificate is not valid before %s: set this machine's clock, or get a new kubeconfig", c.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// Single is the cluster's kubeconfig with everything but its context left out, and referenced files taken in.
func (c *Cluster) Single() (*api.Config, error) {
	raw, _, err := load(c.files, c.Context)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s of cluster %s: %w", c.Kubeconfig, c.Name, err)
	}
	raw.CurrentContext = c.Context
	if err := errors.Join(api.MinifyConfig(raw), api.FlattenConfig(raw)); err != nil {
		return nil, fmt.Errorf("read context %s in kubeconfig %s of cluster %s: %w", c.Context, c.Kubeconfig, c.Name, err)
	}
	return raw, nil
}

// way is what leads to the API server, in one form for all spellings of an address.
func (c *Cluster) way() string {
	host := strings.ToLower(strings.TrimRight(c.rest.Host, "/"))
	if u, err := url.Parse(host); err == nil && u.Scheme == "https" && u.Port() == "" {
		u.Host += ":443"
		host = u.String()
	}
	ca := c.rest.CAData
	if len(ca) == 0 && c.rest.CAFile != "" {
		ca, _ = os.ReadFile(c.rest.CAFile) // it was read when the clients were made
	}
	return strings.Join([]string{host, c.rest.ServerName, string(bytes.TrimSpace(ca))}, "\n")
}

// Local tells whether the API server's address is one that, in a pod of another cluster, means that pod itself.
func (c *Cluster) Local() bool {
	u, err := url.Parse(c.rest.Host)
	if err != nil {
		return false
	}
	name := u.Hostname()
	ip := net.ParseIP(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// ErrAccess is wrapped when an API server was reached, and the kubeconfig does not fit it: that is a mistake in the input,
// where a server out of reach is none.
var ErrAccess = errors.New("the kubeconfig does not open this API server")

// Access says what is wrong with a kubeconfig when a server's answer shows it.
func Access(err error) error {
	var (
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
	)
	switch {
	case err == nil:
		return nil
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%w: it does not take the credentials: %w: log in again, or get a new kubeconfig", ErrAccess, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w: the user may not do this: %w: see what is needed with meshproof rbac", ErrAccess, err)
	case errors.As(err, &authority), errors.As(err, &host):
		return fmt.Errorf("%w: %w: give the kubeconfig that belongs to this cluster", ErrAccess, err)
	case errors.As(err, &invalid):
		return fmt.Errorf("%w: %w: have the server's certificate renewed, and see this machine's clock", ErrAccess, err)
	}
	return err
}
