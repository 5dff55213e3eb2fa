package source

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/store"
)

// rootFS is one root file system made of Debian packages.
type rootFS struct {
	name     string
	variant  string // mmdebstrap's: what is installed besides packages
	packages []string
	hook     string // template of the script that finishes the file system; it gets the root directory as $1
	stage    string // mmdebstrap's: the last stage at which this variant runs hooks
}

const rootTar = "root.tar"

// slimFS is under the images that need more than one static executable: packet filter tools for kube-proxy and the
// proxy, curl for the sample's client. Its packages are unpacked without being configured, so nothing essential that no
// image runs is in it.
func slimFS() rootFS {
	return rootFS{name: "slim", variant: "extract", hook: "slim-hook.sh", stage: "extract",
		packages: []string{"base-files", "base-passwd", "dash", "coreutils", "libc-bin", "netbase", "curl", "ca-certificates", "iptables", "conntrack"}}
}

// suiteFS is under the suite's own image: what the guide's commands and the release's scripts call besides kubectl and istioctl.
func suiteFS() rootFS {
	return rootFS{name: "suite", variant: "extract", hook: "suite-hook.sh", stage: "extract",
		packages: []string{"base-files", "base-passwd", "bash", "coreutils", "dash", "gawk", "grep", "libc-bin", "netbase", "sed", "ca-certificates"}}
}

// nodeFS is under the kind node: what kind's own base image installs, less what only other storage, other snapshotters
// and debugging need.
func nodeFS() rootFS {
	return rootFS{name: "node", variant: "essential", hook: "node-hook.sh", stage: "customize",
		packages: []string{"systemd", "bash", "ca-certificates", "conntrack", "containernetworking-plugins", "curl", "ethtool", "hostname",
			"iproute2", "iptables", "kmod", "libseccomp2", "mount", "nftables", "pigz", "procps", "runc", "util-linux"}}
}

// rootFSKey depends on everything but the day: the archive's security updates come in when an entry is made anew.
func (b *Builder) rootFSKey(fs rootFS) (string, error) {
	hook, err := templates.ReadFile("templates/" + fs.hook)
	if err != nil {
		return "", err
	}
	kind := b.v.Modules["kind"]
	return store.Key("rootfs", b.v.Debian.Suite, b.arch, fs.variant, fs.stage, strings.Join(fs.packages, " "), string(hook), kind.Sum), nil
}

// RootFS returns the directory that holds root.tar, a root file system.
func (b *Builder) RootFS(ctx context.Context, fs rootFS) (string, error) {
	key, err := b.rootFSKey(fs)
	if err != nil {
		return "", err
	}
	item := itemRootFS(fs.name)
	return b.entry(ctx, "rootfs-"+fs.name, key, item, b.work(item, func(ctx context.Context, dir string) error {
		return b.debootstrap(ctx, fs, dir)
	}))
}

func (b *Builder) debootstrap(ctx context.Context, fs rootFS, dir string) error {
	tool, err := b.mmdebstrap(ctx)
	if err != nil {
		return err
	}
	keys, err := b.keyring(ctx)
	if err != nil {
		return err
	}
	hook, err := templates.ReadFile("templates/" + fs.hook)
	if err != nil {
		return err
	}
	script := filepath.Join(dir, fs.hook)
	if err := os.WriteFile(script, hook, 0o755); err != nil {
		return err
	}
	kind, err := b.ModuleDir(ctx, "kind")
	if err != nil {
		return err
	}
	args := []string{"--quiet", "--variant=" + fs.variant, "--include=" + strings.Join(fs.packages, ","), "--skip=output/dev,check/empty",
		"--" + fs.stage + "-hook=" + script}
	for _, skipped := range []string{"doc", "man", "info", "locale", "lintian", "bug", "zoneinfo"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+skipped+"/*")
	}
	if keys != "" {
		args = append(args, "--keyring="+keys)
	}
	_, err = run.Output(ctx, run.Cmd{Name: tool.path, Args: append(args, b.v.Debian.Suite, filepath.Join(dir, rootTar)),
		Env: append([]string{"KIND_FILES=" + filepath.Join(kind, "images", "base", "files"), "TMPDIR=" + dir}, tool.env...)})
	if err != nil {
		return fmt.Errorf("%w: %w: check that this machine reaches Debian's archive (apt-get update), and, unless this is root, that user "+
			"namespaces are allowed (on Debian the package uidmap, on Ubuntu mmdebstrap and uidmap)", ErrCannotBuild, err)
	}
	return os.Remove(script)
}

// tool is an executable and what its environment needs.
type tool struct {
	path string
	env  []string
}

// mmdebstrap finds the program on this machine, or takes it out of its package into the cache: nothing is installed.
func (b *Builder) mmdebstrap(ctx context.Context) (tool, error) {
	if path, err := exec.LookPath("mmdebstrap"); err == nil {
		return tool{path: path}, nil
	}
	for _, need := range []string{"apt-get", "dpkg", "perl"} {
		if _, err := exec.LookPath(need); err != nil {
			return tool{}, fmt.Errorf("%w: mmdebstrap is not on PATH, and neither is %s to get it with: root file systems are made on "+
				"Debian and its derivatives only: %w", ErrCannotBuild, need, err)
		}
	}
	dir, err := b.entry(ctx, "mmdebstrap", store.Key("mmdebstrap", b.v.Debian.Suite), "get mmdebstrap", aptDownload("mmdebstrap"))
	if err != nil {
		return tool{}, err
	}
	bin := filepath.Join(dir, "usr", "bin")
	return tool{path: filepath.Join(bin, "mmdebstrap"), env: []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}}, nil
}

const keysInPackage = "usr/share/keyrings/debian-archive-keyring.gpg"

// keyring gives the file of the keys that Debian signs its archive with, out of their package; "" where this machine has them, and
// mmdebstrap finds them by itself. A derivative of Debian trusts its own keys only.
func (b *Builder) keyring(ctx context.Context) (string, error) {
	if _, err := os.Stat(b.debianKeys); err == nil {
		return "", nil
	}
	const pkg = "debian-archive-keyring"
	dir, err := b.entry(ctx, pkg, store.Key(pkg, b.v.Debian.Suite), "get the keys of Debian's archive", aptDownload(pkg))
	return filepath.Join(dir, keysInPackage), err
}

// aptDownload unpacks a package into a directory. When apt's lists do not know it (a fresh container has none), lists of our
// own are fetched into that directory, so that the machine's stay as they are.
func aptDownload(pkg string) store.Build {
	return func(ctx context.Context, dir string) error {
		apt := func(args ...string) error {
			_, err := run.Output(ctx, run.Cmd{Name: "apt-get", Args: append([]string{"--quiet=2"}, args...), Dir: dir})
			return err
		}
		if first := apt("download", pkg); first != nil {
			own := []string{"-o", "Dir::State::Lists=" + filepath.Join(dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "cache")}
			for _, d := range []string{"lists/partial", "cache/archives/partial"} {
				if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
					return err
				}
			}
			if err := apt(append(own, "update")...); err != nil {
				return err
			}
			if err := apt(append(own, "download", pkg)...); err != nil {
				return fmt.Errorf("%w: install %s, or mend apt's sources", err, pkg)
			}
		}
		found, err := filepath.Glob(filepath.Join(dir, pkg+"_*.deb"))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("apt-get left %d packages of %s, want 1: install %s", len(found), pkg, pkg)
		}
		_, err = run.Output(ctx, run.Cmd{Name: "dpkg", Args: []string{"-x", found[0], dir}})
		return err
	}
}
