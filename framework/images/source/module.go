package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// writeModule writes the throw-away module: its go.mod, a go.sum that pins what the pinned module itself was built
// with, and main packages of our own.
func (b *Builder) writeModule(ctx context.Context, u unit, work string) error {
	m := b.v.Modules[u.module]
	src, err := b.ModuleDir(ctx, u.module)
	if err != nil {
		return err
	}
	theirs, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return err
	}
	mod, err := goMod(u.name, m, theirs)
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(src, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := errors.Join(os.WriteFile(filepath.Join(work, "go.mod"), mod, 0o644),
		os.WriteFile(filepath.Join(work, "go.sum"), sum, 0o644)); err != nil {
		return err
	}
	return eachSource(u, func(name string, data []byte) error {
		to := filepath.Join(work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

// goMod renders a throw-away module's go.mod that requires m. What m's own go.mod says only counts there as long as m
// is the main module, so its Go version, its debug settings and its replacements are carried over; a replacement by
// one of Kubernetes' staging folders becomes the published module of the same release, any other folder is left out.
func goMod(name string, m versions.Module, theirs []byte) ([]byte, error) {
	f, err := modfile.Parse("go.mod", theirs, nil)
	if err != nil {
		return nil, fmt.Errorf("read go.mod of %s %s: %w", m.Path, m.Version, err)
	}
	data := struct {
		Name, Go string
		Module   versions.Module
		Godebug  []*modfile.Godebug
		Replace  []*modfile.Replace
	}{Name: name, Go: f.Go.Version, Module: m, Godebug: f.Godebug}
	for _, r := range f.Replace {
		if strings.HasPrefix(r.New.Path, "./staging/src/") {
			r.New = module.Version{Path: r.Old.Path, Version: "v0." + strings.SplitN(m.Version, ".", 2)[1]}
		}
		if !modfile.IsDirectoryPath(r.New.Path) {
			data.Replace = append(data.Replace, r)
		}
	}
	slices.SortFunc(data.Replace, func(a, b *modfile.Replace) int { return strings.Compare(a.Old.Path, b.Old.Path) })
	t, err := template.ParseFS(templates, "templates/go.mod.tmpl")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// ModuleDir returns the directory of a pinned module's files, downloading them first when they are not there, and
// refuses files whose checksum is not the pinned one.
func (b *Builder) ModuleDir(ctx context.Context, name string) (string, error) {
	m := b.v.Modules[name]
	return b.once("module-"+name, func() (string, error) {
		out, err := goApart(ctx, b.goEnv, "mod", "download", "-json", m.Path+"@"+m.Version)
		var got struct{ Dir, Sum, Error string }
		if jsonErr := json.Unmarshal(out, &got); err == nil {
			err = jsonErr
		}
		switch {
		case got.Error != "":
			return "", fmt.Errorf("download module %s %s: %s: check that this machine reaches a Go module proxy (go env GOPROXY)",
				m.Path, m.Version, got.Error)
		case err != nil:
			return "", fmt.Errorf("download module %s %s: %w", m.Path, m.Version, err)
		case got.Sum != m.Sum:
			return "", fmt.Errorf("download module %s %s: its checksum is %s, versions.yaml pins %s: the proxy serves other "+
				"content than was tested: use another proxy, or pin what you trust", m.Path, m.Version, got.Sum, m.Sum)
		}
		return got.Dir, nil
	})
}
