package procedure

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshproof/meshproof/framework/cluster"
)

// files are the private files that the commands use.
type files struct {
	bin, home, cache string
	// own are the kubeconfigs with one cluster each, merged has them all; contexts are the names in it.
	own      []string
	merged   string
	contexts []string
}

// odd characters would not survive the guide's unquoted ${CTX_1} in a loop.
var odd = regexp.MustCompile(`[^A-Za-z0-9_@%+=:,./-]`)

// prepareFiles writes for each cluster a kubeconfig with nothing but its one context, for S6 to S8, and one with all of
// them under names of their own, for the commands that name a context. Both hold credentials: mode 0600.
func prepareFiles(o Options) (files, error) {
	f := files{
		bin: filepath.Join(o.Dir, "bin"), home: filepath.Join(o.Dir, "home"), cache: filepath.Join(o.Dir, "cache"),
		merged: filepath.Join(o.Dir, "kubeconfig-merged.yaml"),
	}
	for _, dir := range []string{o.Dir, f.bin, f.home, f.cache} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return f, err
		}
	}
	if err := link(o.Kubectl, filepath.Join(f.bin, "kubectl")); err != nil {
		return f, err
	}
	merged := api.NewConfig()
	for _, c := range o.Set {
		one, err := c.Single()
		if err != nil {
			return f, err
		}
		path := filepath.Join(o.Dir, "kubeconfig-"+c.Name+".yaml")
		if err := write(*one, path); err != nil {
			return f, err
		}
		name := odd.ReplaceAllString(c.Context, "-")
		if merged.Contexts[name] != nil {
			name += "-" + c.Name
		}
		add(merged, one, c, name)
		f.own, f.contexts = append(f.own, path), append(f.contexts, name)
	}
	merged.CurrentContext = f.contexts[0]
	return f, write(*merged, f.merged)
}

// add puts a cluster's one context into merged; its cluster and user get the project's own name for the cluster, because
// two files may well use the same words.
func add(merged, one *api.Config, c *cluster.Cluster, name string) {
	from := one.Contexts[c.Context]
	context := from.DeepCopy()
	context.Cluster, context.AuthInfo = c.Name, c.Name
	merged.Contexts[name] = context
	merged.Clusters[c.Name] = one.Clusters[from.Cluster]
	if user := one.AuthInfos[from.AuthInfo]; user != nil {
		merged.AuthInfos[c.Name] = user
	} else {
		merged.AuthInfos[c.Name] = api.NewAuthInfo()
	}
}

func write(config api.Config, path string) error {
	text, err := clientcmd.Write(config)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // a file that is there would keep its mode
	}
	return os.WriteFile(path, text, 0o600)
}

func link(target, name string) error {
	target, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(target, name)
}
