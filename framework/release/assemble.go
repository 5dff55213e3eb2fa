package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Assemble puts a release directory together: the gateway's files and the samples are copied from the unpacked Istio
// module (the module's own are read-only and not executable), and istioctl is a symbolic link to the given program. A
// directory that is there already is filled up, its files written again.
func Assemble(path, istioModule, istioctl string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("assemble release directory: %w", err)
	}
	err = errors.Join(
		copyFile(filepath.Join(istioModule, "samples/multicluster/gen-eastwest-gateway.sh"), filepath.Join(path, GatewayScript), 0o755),
		copyFile(filepath.Join(istioModule, "samples/multicluster/expose-services.yaml"), filepath.Join(path, ExposeServices), 0o644),
		copyTree(filepath.Join(istioModule, "samples/helloworld"), filepath.Join(path, "samples/helloworld")),
		copyTree(filepath.Join(istioModule, "samples/sleep"), filepath.Join(path, "samples/sleep")),
		link(istioctl, filepath.Join(path, Istioctl)),
	)
	if err != nil {
		return nil, fmt.Errorf("assemble release directory %s from %s: %w", path, istioModule, err)
	}
	return Open(path)
}

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to, content, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode) // a file that was there keeps its mode otherwise
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, rel), 0o644)
	})
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
