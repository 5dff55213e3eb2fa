package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// Node makes the node image of a run: kind's, with every image of the layout in it, unpacked.
func (b *Builder) Node(ctx context.Context, layout string) (string, error) {
	script, err := templates.ReadFile("templates/bake.sh")
	if err != nil {
		return "", err
	}
	// The layout's own bytes count, not its key: Debian's packages may have moved on since it was last made.
	index, err := os.ReadFile(filepath.Join(layout, "index.json"))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(index)
	from, err := b.kubernetes(ctx)
	if err != nil {
		return "", err
	}
	key := store.Key("node", from, hex.EncodeToString(sum[:]), string(script))
	return b.engineImage(ctx, "kind-node", key, itemBake, func(ctx context.Context, ref, _ string) error {
		return b.report.Do(ctx, itemBake, func(ctx context.Context) error { return b.bake(ctx, from, ref, layout, string(script)) })
	})
}

// bake imports the layout with the node image's own containerd and commits the outcome. The snapshots are made on a
// volume, because an overlay file system cannot have its upper directory on the container's, which is one too.
func (b *Builder) bake(ctx context.Context, from, ref, layout, script string) (err error) {
	name := "meshproof-bake-" + b.cacheID() + "-" + ref[strings.LastIndex(ref, ":")+1:]
	remove := func() error { return b.docker.RemoveContainers(context.WithoutCancel(ctx), from, name) }
	if err := remove(); err != nil { // a killed run had no time to
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if _, err := b.docker.Do(ctx, "run", "--detach", "--name", name, "--privileged", "--network", "none", "--volume", "/bake",
		"--entrypoint", "sleep", from, "infinity"); err != nil {
		return err
	}
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(oci.LayoutArchive(w, layout, func(ref string) bool { return ref != RegistryProgram(b.v) }))
	}()
	_, err = b.docker.Feed(ctx, r, "exec", "--interactive", "--privileged", name, "bash", "-c", script)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("import the images: %w", err)
	}
	_, err = b.docker.Do(ctx, "commit", "--change", `ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`, "--change", "CMD []", name, ref)
	return err
}

// Registry loads the image of the rig's registry into the engine.
func (b *Builder) Registry(ctx context.Context) (string, error) {
	r := RegistryRecipe(b.v)
	key, err := b.recipeKey(r)
	if err != nil {
		return "", err
	}
	const item = "load the registry's image"
	return b.engineImage(ctx, "registry", key, item, func(ctx context.Context, ref, tmp string) error {
		programs, err := b.Executables(ctx, r.Unit)
		if err != nil {
			return err
		}
		layer := filepath.Join(tmp, "layer.tar")
		err = create(layer, func(w io.Writer) error {
			t := oci.Tar(r.files(programs, "", ""))
			_, err := io.Copy(w, t)
			return errors.Join(err, t.Close())
		})
		if err != nil {
			return err
		}
		return b.docker.Load(ctx, ref, func(w io.Writer) error { return oci.DockerArchive(w, b.arch, ref, r.Config, []string{layer}) })
	})
}
