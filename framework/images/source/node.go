package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// Local starts the names of images that exist only in this machine's engine. kind's builder asks the engine to
// pull its base image even when that is there: at this address the attempt is refused at once, on this machine.
const Local = "127.0.0.1:9/meshproof/"

// engineImage is an image in the engine that is made at most once, whatever is in the cache directory: the engine may
// have lost it.
func (b *Builder) engineImage(ctx context.Context, name, key, item string, make func(ctx context.Context, ref, tmp string) error) (string, error) {
	ref := Local + name + ":" + key
	return b.once(ref, func() (string, error) {
		unlock, err := b.store.Lock(ctx, "engine-"+name+"-"+key)
		if err != nil {
			return "", err
		}
		defer unlock()
		there, err := b.docker.Has(ctx, ref)
		if err != nil || there {
			b.report.Skip(item)
			return ref, err
		}
		tmp, remove, err := b.store.Temp("engine-" + name + "-" + key)
		if err != nil {
			return "", err
		}
		if err = errors.Join(make(ctx, ref, tmp), remove()); err != nil {
			return "", fmt.Errorf("%s: %w", item, full(err))
		}
		return ref, nil
	})
}

// base loads the base of the node image: the node root file system, containerd, and its configuration.
func (b *Builder) base(ctx context.Context) (ref string, err error) {
	key, err := b.baseKey()
	if err != nil {
		return "", err
	}
	return b.engineImage(ctx, "kind-base", key, itemBase, func(ctx context.Context, ref, tmp string) error {
		root, err := b.RootFS(ctx, nodeFS())
		if err != nil {
			return err
		}
		containerd, err := b.Executables(ctx, "containerd")
		if err != nil {
			return err
		}
		return b.report.Do(ctx, itemBase, func(ctx context.Context) error {
			own := filepath.Join(tmp, "files.tar")
			if err := b.baseFiles(ctx, containerd, own); err != nil {
				return err
			}
			config := v1.Config{Env: []string{"container=docker", searchPath}, StopSignal: "SIGRTMIN+3",
				Entrypoint: []string{"/usr/local/bin/entrypoint", "/sbin/init"}, Labels: map[string]string{LabelCNI: "static"}}
			return b.docker.Load(ctx, ref, func(w io.Writer) error {
				return oci.DockerArchive(w, b.arch, ref, config, []string{filepath.Join(root, rootTar), own})
			})
		})
	})
}

func (b *Builder) baseKey() (string, error) {
	root, err := b.rootFSKey(nodeFS())
	if err != nil {
		return "", err
	}
	u, err := b.unit("containerd")
	if err != nil {
		return "", err
	}
	bin, err := b.unitKey(u)
	if err != nil {
		return "", err
	}
	conflist, err := templates.ReadFile("templates/offline.conflist")
	return store.Key("base", root, bin, string(conflist), containerdAddition), err
}

// containerdAddition lets hosts.toml files say where images come from: a run points every registry at its own.
const containerdAddition = `
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`

// baseFiles writes the files above the root file system as a tar.
func (b *Builder) baseFiles(ctx context.Context, containerd, to string) error {
	kind, err := b.ModuleDir(ctx, "kind")
	if err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(kind, "images", "base", "files", "etc", "containerd", "config.toml"))
	if err != nil {
		return err
	}
	spec, err := baseSpec(ctx, filepath.Join(containerd, "ctr"))
	if err != nil {
		return err
	}
	conflist, err := templates.ReadFile("templates/offline.conflist")
	if err != nil {
		return err
	}
	files := []oci.File{
		{Path: "/etc/containerd/config.toml", Data: append(config, containerdAddition...), Mode: 0o644},
		{Path: "/etc/containerd/cri-base.json", Data: spec, Mode: 0o644},
		{Path: "/etc/cni/net.d/10-offline.conflist", Data: conflist, Mode: 0o644},
	}
	for _, exe := range []string{"containerd", "ctr", "containerd-shim-runc-v2"} {
		files = append(files, oci.File{Path: "/usr/local/bin/" + exe, Source: filepath.Join(containerd, exe)})
	}
	return create(to, func(w io.Writer) error {
		t := oci.Tar(files)
		_, err := io.Copy(w, t)
		return errors.Join(err, t.Close())
	})
}

// baseSpec is what every container of a node starts from: containerd's default without resource limits, since raising
// them needs a capability that not every machine has. kind's hook that gives pods a product UUID is left out: no run
// reads it, and it starts five processes per container.
func baseSpec(ctx context.Context, ctr string) ([]byte, error) {
	out, err := run.Output(ctx, run.Cmd{Name: ctr, Args: []string{"oci", "spec"}})
	if err != nil {
		return nil, err
	}
	var spec map[string]any
	if err := json.Unmarshal(out, &spec); err != nil {
		return nil, fmt.Errorf("read what ctr oci spec printed: %w", err)
	}
	process, ok := spec["process"].(map[string]any)
	if !ok {
		return nil, errors.New("ctr oci spec printed no process")
	}
	delete(process, "rlimits")
	return json.MarshalIndent(spec, "", "  ")
}

// kubernetes makes the node image with kind's own builder, from our base and our executables; it holds the images that
// Kubernetes itself needs. Nothing is pulled, because every image that kind wants is in the archives it is given.
func (b *Builder) kubernetes(ctx context.Context) (string, error) {
	recipes := KubernetesRecipes(b.v)
	baseKey, err := b.baseKey()
	if err != nil {
		return "", err
	}
	in := []string{"kubernetes", baseKey, b.v.Modules["kind"].Sum}
	for _, r := range recipes {
		key, err := b.recipeKey(r)
		if err != nil {
			return "", err
		}
		in = append(in, key)
	}
	return b.engineImage(ctx, "kind-kubernetes", store.Key(in...), itemNode, func(ctx context.Context, ref, tmp string) error {
		base, err := b.base(ctx)
		if err != nil {
			return err
		}
		kubernetes, err := b.Executables(ctx, "kubernetes")
		if err != nil {
			return err
		}
		layout, err := b.Layout(ctx, "kubernetes", recipes)
		if err != nil {
			return err
		}
		kind, err := b.Executables(ctx, "kind")
		if err != nil {
			return err
		}
		if err := b.checkNames(ctx, filepath.Join(kubernetes, "kubeadm"), recipes); err != nil {
			return err
		}
		return b.report.Do(ctx, itemNode, func(ctx context.Context) error {
			server := filepath.Join(tmp, "kubernetes-server.tar.gz")
			if err := b.serverTarball(server, kubernetes, layout); err != nil {
				return err
			}
			return b.kindBuild(ctx, filepath.Join(kind, "kind"), base, ref, tmp, server)
		})
	})
}

// kindBuild runs kind as a child, because its Go function takes no context, prints to standard output and leaves its
// temporary files behind.
func (b *Builder) kindBuild(ctx context.Context, kind, base, ref, tmp, server string) (err error) {
	// An interrupted kind leaves its container, whose name only kind chooses: one kind runs at a time, and its base has a name of
	// this cache, because other caches' locks do not count here.
	unlock, err := b.store.Lock(ctx, "kind-build")
	if err != nil {
		return err
	}
	defer unlock()
	colon := strings.LastIndex(base, ":")
	own := base[:colon] + "-" + b.cacheID() + base[colon:]
	if _, err := b.docker.Do(ctx, "tag", base, own); err != nil {
		return err
	}
	remove := func() error { return b.docker.RemoveContainers(context.WithoutCancel(ctx), own, "kind-build-") }
	if err := remove(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, remove())
		_, untag := b.docker.Do(context.WithoutCancel(ctx), "rmi", own)
		err = errors.Join(err, untag)
	}()
	_, err = run.Output(ctx, run.Cmd{Name: kind, Env: []string{"TMPDIR=" + tmp, "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy="},
		Args: []string{"build", "node-image", "--type", "file", "--arch", b.arch, "--base-image", own, "--image", ref, server}})
	return err
}

// cacheID tells this cache's containers and names in the engine from those of another cache, whose runs may build the same at once.
// It enters no key: what is built is the same.
func (b *Builder) cacheID() string { return store.Key("cache", b.store.Root())[:8] }

// checkNames compares the names of the images with what kubeadm and kind ask for: a name that differs would be pulled.
func (b *Builder) checkNames(ctx context.Context, kubeadm string, recipes []Recipe) error {
	out, err := run.Output(ctx, run.Cmd{Name: kubeadm, Args: []string{"config", "images", "list", "--kubernetes-version",
		b.v.Modules["kubernetes"].Version}})
	if err != nil {
		return err
	}
	kind, err := b.ModuleDir(ctx, "kind")
	if err != nil {
		return err
	}
	wanted := strings.Fields(string(out))
	for _, file := range []string{"const_cni.go", "const_storage.go"} {
		text, err := os.ReadFile(filepath.Join(kind, "pkg", "build", "nodeimage", file))
		if err != nil {
			return err
		}
		wanted = append(wanted, quoted(string(text), "docker.io/kindest/")...)
	}
	for _, ref := range wanted {
		named := slices.ContainsFunc(recipes, func(r Recipe) bool { return r.Ref == ref })
		if !named && !strings.Contains(ref, "/pause:") { // kind takes the pause image from containerd's configuration
			return fmt.Errorf("a node needs image %s, which versions.yaml does not name: set its name there", ref)
		}
	}
	return nil
}

// quoted returns the string literals of Go source that start with prefix.
func quoted(source, prefix string) []string {
	var out []string
	for {
		_, after, ok := strings.Cut(source, `"`+prefix)
		if !ok {
			return out
		}
		literal, rest, _ := strings.Cut(after, `"`)
		out, source = append(out, prefix+literal), rest
	}
}
