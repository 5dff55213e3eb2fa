// Package asm drives a real asmcli and a real gcloud, where they are given: it checks them before anything is changed,
// prepares a directory for asmcli to work in, and runs the guide's commands that call them (S1 and S8) in an environment
// that holds nothing of the caller but what they need. What asmcli has done is not read from its output: claims look at
// what it left behind.
package asm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/manifest"
	"github.com/meshproof/meshproof/framework/shell"
)

// Options say which tools are driven.
type Options struct {
	// Asmcli and Gcloud are the paths of the programs.
	Asmcli, Gcloud string
	// Dir is a private directory of the run, for all that the tools need. It is made by Prepare.
	Dir string
	// ReleaseDir is the working directory of the guide's commands.
	ReleaseDir string
}

// Driver runs the tools.
type Driver struct {
	o Options
	// Version is what asmcli says of itself: "1.23.2-asm.2+config1".
	Version string
}

// ErrUnfit is wrapped when a tool that was given cannot be used.
var ErrUnfit = errors.New("a tool cannot be used")

var (
	// odd are the characters at which asmcli takes a path apart: it calls its commands unquoted.
	odd         = regexp.MustCompile(`[^A-Za-z0-9_@%+=:,./-]`)
	versionForm = regexp.MustCompile(`[0-9]+\.[0-9]+\.[0-9]+[-+.0-9A-Za-z]*`)
)

// Open checks both programs, and asks asmcli for its version within the limit. Nothing is made.
func Open(ctx context.Context, o Options, limit time.Duration) (*Driver, error) {
	var errs []error
	for _, tool := range []struct {
		flag string
		path *string
	}{{"--asmcli", &o.Asmcli}, {"--gcloud", &o.Gcloud}} {
		path, err := program(*tool.path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %s %s: %w", ErrUnfit, tool.flag, *tool.path, err))
		}
		*tool.path = path
	}
	for _, path := range []string{o.Asmcli, o.Dir} {
		if at := odd.FindString(path); at != "" {
			errs = append(errs, fmt.Errorf("%w: the path %s contains %q, and asmcli calls its commands unquoted: use another directory", ErrUnfit, path, at))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	d := &Driver{o: o}
	return d, d.askVersion(ctx, limit)
}

// program gives the absolute path of a program that can be run.
func program(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("there is no such file: give the path of the program")
	case err != nil:
		return "", fmt.Errorf("%w: give a path that can be read", err)
	case info.IsDir():
		return "", errors.New("it is a directory: give the path of the program in it")
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return "", errors.New("it is not executable: give the program (is it downloaded whole? chmod +x)")
	}
	return filepath.Abs(path)
}

func (d *Driver) askVersion(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not end within %s", limit))
	defer cancel()
	r, err := shell.Run(ctx, shell.Command{Args: []string{d.o.Asmcli, "--version"}, Dir: os.TempDir(), Env: d.environment(nil)})
	d.Version = versionForm.FindString(r.Stdout)
	switch {
	case err != nil:
		return fmt.Errorf("%w: ask %s for its version (--version): %w: see that it is an asmcli for this machine", ErrUnfit, d.o.Asmcli, err)
	case d.Version == "":
		return fmt.Errorf("%w: %s --version prints %.40q, which is no version: give an asmcli", ErrUnfit, d.o.Asmcli, strings.TrimSpace(r.Stdout))
	}
	return nil
}

// Asmcli is the program as the guide's command is to name it: as it is printed where the program stands there.
func (d *Driver) Asmcli() string {
	const printed = "./asmcli"
	if d.o.ReleaseDir != "" && d.o.Asmcli == filepath.Join(d.o.ReleaseDir, printed) {
		return printed
	}
	return d.o.Asmcli
}

// OutputDir is what asmcli is given as --output_dir. It is not the directory that asmcli install has made: asmcli writes into
// it, and would bring that one's package anew.
func (d *Driver) OutputDir() string { return filepath.Join(d.o.Dir, "output") }

// Directories of commands, which stand before the caller's PATH.
func (d *Driver) tools() string { return filepath.Join(d.o.Dir, "tools") }
func (d *Driver) guard() string { return filepath.Join(d.o.Dir, "guard") }

// guardText stands in for gcloud while asmcli is asked for a fleet that is not the clusters' own. It knows that fleet's
// project, knows of no member of it, and does nothing else: whatever asmcli thinks of the clusters, it cannot register them
// there. It leaves its standard input alone, in which asmcli has its list of kubeconfigs.
const guardText = `#!/bin/sh
case "$1 $2 $3 $4" in
"projects describe "*) echo 1 ;;
"container "*" memberships list") echo '[]' ;;
*) echo "gcloud $*: not while another fleet is asked for" >&2; exit 97 ;;
esac
`

// Membership is the object by which asmcli knows that a cluster is registered in a fleet. It would register one without.
func Membership() manifest.Ref {
	return manifest.Ref{Kind: schema.GroupKind{Group: "hub.gke.io", Kind: "Membership"}, Name: "membership"}
}

var onGoogleCloud = regexp.MustCompile(`(?i)gke_`)

// OnGoogleCloud tells whether the first context has asmcli take all clusters for ones on Google Cloud.
func OnGoogleCloud(context string) bool { return onGoogleCloud.MatchString(context) }

// Needs are the programs that asmcli looks for besides bash, kubectl and gcloud, which it is given: it ends with code 2 without one of
// those that it asks hash for, and fails without the others (Google's anthos-service-mesh-packages, asmcli). Called
// as the guide prints it, it also downloads a release, and kpt where there is none.
func Needs(downloads bool) []string {
	all := []string{"awk", "csplit", "git", "grep", "head", "jq", "readlink", "sed", "tr", "uname", "which"}
	if downloads {
		all = append(all, "curl", "tar")
	}
	return all
}

// Prepare makes the directories: the output directory with the release's istioctl, which is what asmcli looks for there, and
// gcloud under its own name, under which asmcli calls it.
func (d *Driver) Prepare(istioctl string) error {
	for _, dir := range []string{d.OutputDir(), d.tools(), d.guard()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("prepare a directory for asmcli: %w", err)
		}
	}
	err := errors.Join(
		os.Symlink(istioctl, filepath.Join(d.OutputDir(), "istioctl")),
		os.Symlink(d.o.Gcloud, filepath.Join(d.tools(), "gcloud")),
		os.WriteFile(filepath.Join(d.guard(), "gcloud"), []byte(guardText), 0o700),
	)
	if err != nil {
		return fmt.Errorf("prepare a directory for asmcli: %w", err)
	}
	return nil
}

// Command gives the call of a text of the guide: kubectl is in the directory bin, and the own variables, as NAME=VALUE, say
// which kubeconfig counts where a command names none.
func (d *Driver) Command(text, bin string, own ...string) shell.Command {
	return shell.Command{Args: shell.Script(text), Dir: d.o.ReleaseDir, Env: d.environment(own, d.tools(), bin)}
}

// Guarded is Command with a gcloud that changes nothing and knows every fleet.
func (d *Driver) Guarded(text, bin string, own ...string) shell.Command {
	c := d.Command(text, bin, own...)
	c.Env = d.environment(own, d.guard(), bin)
	return c
}
