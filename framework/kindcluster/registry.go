package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/ledger"
	"github.com/meshproof/meshproof/framework/poll"
)

func (o *Options) entry(kind, name string) ledger.Entry {
	return ledger.Entry{Kind: kind, Name: name, Run: o.RunID}
}

// disown takes something that turned out to be somebody else's out of the ledger again.
func disown(o *Options, e ledger.Entry, cause error) error {
	return errors.Join(fmt.Errorf("create %s: %w: %w: use another run id", e, ErrNameTaken, cause), o.Ledger.Removed(e))
}

// writeRegistryHosts writes the folder that the nodes mount as /etc/containerd/certs.d, and gives its path. The only
// host is the run's registry: an image which it lacks is refused at once, and not after a time-out elsewhere. "" when
// the rig has no registry.
func writeRegistryHosts(o *Options, a addresses) (string, error) {
	if o.RegistryImage == "" {
		return "", nil
	}
	folder := filepath.Join(o.Dir, registryHosts)
	file := filepath.Join(folder, "_default", "hosts.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the nodes' registry configuration: %w", err)
	}
	url := registryURL(a)
	content := fmt.Sprintf("server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url, url)
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return "", fmt.Errorf("write the nodes' registry configuration: %w", err)
	}
	return folder, nil
}

// registryURL is where the run's registry answers.
func registryURL(a addresses) string {
	return fmt.Sprintf("http://%s:%d", a.registry, images.RegistryPort)
}

// startRegistry starts the run's registry at the address that the nodes' hosts.toml names, and waits until it answers.
func startRegistry(ctx context.Context, d docker, o *Options, a addresses) error {
	if o.RegistryImage == "" {
		return nil
	}
	entry := o.entry(kindRegistry, registryName(o.RunID))
	if err := o.Ledger.Intend(entry); err != nil {
		return err
	}
	_, err := runWhole(ctx, d, "run", "--detach", "--name", entry.Name, "--label", runLabel+"="+o.RunID,
		"--network", networkName(o.RunID), "--ip", a.registry.String(),
		"--volume", o.Layout+":"+images.LayoutMount+":ro", o.RegistryImage)
	if said(err, "is already in use by container") {
		return disown(o, entry, err)
	}
	if err != nil {
		return fmt.Errorf("start the run's registry %s from image %s: %w", entry.Name, o.RegistryImage, err)
	}
	if err := o.Ledger.Made(entry); err != nil {
		return err
	}
	url := registryURL(a) + "/v2/"
	// Without a proxy: it could not reach a container's address.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	wait := poll.Wait{What: "the run's registry answers", Where: "container " + entry.Name, Limit: o.deadline()}
	return poll.Until(ctx, wait, func(ctx context.Context) (string, error) { return answers(ctx, client, url) })
}

func answers(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", poll.Final(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return "no answer", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return response.Status, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return response.Status, nil
}
