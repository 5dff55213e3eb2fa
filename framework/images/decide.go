package images

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// answerLimit is how long a registry may take to answer before images are built instead.
const answerLimit = 5 * time.Second

// decide says which source to take, and why in one sentence. ask reports why a registry does not answer, nil if it does.
func decide(ctx context.Context, o Options, hosts []string, ask func(ctx context.Context, host string) error) (source, reason string, err error) {
	switch o.Source {
	case Registry:
		return Registry, "images are pulled because --images registry was given", nil
	case Source:
		return Source, "images are built because --images source was given", nil
	case Auto, "":
	default:
		return "", "", fmt.Errorf("choose where images come from: there is no source %q: use one of %s", o.Source, strings.Join(Sources(), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	silent := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, host := range hosts {
		all.Go(func() { silent[i] = ask(ctx, host) })
	}
	all.Wait()
	for i, err := range silent {
		if err != nil {
			return Source, fmt.Sprintf("images are built because the registry %s gave no answer (limit %s): %v", hosts[i], answerLimit, err), nil
		}
	}
	return Registry, fmt.Sprintf("images are pulled because the registry answered within %s: %s", answerLimit, strings.Join(hosts, ", ")), nil
}

// registryHosts lists the registries that references name, each once, sorted.
func registryHosts(refs []string) ([]string, error) {
	var out []string
	for _, ref := range refs {
		r, err := name.ParseReference(ref)
		if err != nil {
			return nil, fmt.Errorf("read image reference %q: %w: a mirror is given as HOST or HOST/PREFIX", ref, err)
		}
		out = append(out, r.Context().RegistryStr())
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// askRegistry asks a registry for its version endpoint. 200 is an open registry, 401 one that wants a token first: both
// are there. Anything else is something in between.
func askRegistry(ctx context.Context, host string) error {
	r, err := name.NewRegistry(host)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Scheme()+"://"+r.RegistryStr()+"/v2/", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}
