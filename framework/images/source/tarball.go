package source

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
)

// serverTarball lays executables and images out as a Kubernetes release's server tarball, the form in which kind takes
// them. Of its four image archives, three hold the one image that they are named after and kube-apiserver.tar all the
// others. It is gzip in form only: it is read once, on this machine.
func (b *Builder) serverTarball(to, kubernetes, layout string) error {
	const bin = "/kubernetes/server/bin/"
	files := []oci.File{{Path: "/kubernetes/version", Data: []byte(b.v.Modules["kubernetes"].Version), Mode: 0o644}}
	for _, exe := range []string{"kubeadm", "kubelet", "kubectl"} {
		files = append(files, oci.File{Path: bin + exe, Source: filepath.Join(kubernetes, exe)})
	}
	alone := []string{"kube-controller-manager", "kube-scheduler", "kube-proxy"}
	archives := map[string]func(ref string) bool{"kube-apiserver": func(ref string) bool {
		for _, name := range alone {
			if strings.Contains(ref, "/"+name+":") {
				return false
			}
		}
		return true
	}}
	for _, name := range alone {
		archives[name] = func(ref string) bool { return strings.Contains(ref, "/"+name+":") }
	}
	for name, keep := range archives {
		path := filepath.Join(filepath.Dir(to), name+".tar")
		if err := create(path, func(w io.Writer) error { return oci.LayoutArchive(w, layout, keep) }); err != nil {
			return err
		}
		files = append(files, oci.File{Path: bin + name + ".tar", Source: path, Mode: 0o644})
	}
	return create(to, func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.NoCompression)
		if err != nil {
			return err
		}
		t := oci.Tar(files)
		_, err = io.Copy(z, t)
		return errors.Join(err, t.Close(), z.Close())
	})
}

// create makes a file of what write writes.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
