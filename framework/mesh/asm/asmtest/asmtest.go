// Package asmtest has stand-ins for asmcli, gcloud, istioctl and kubectl that note how they are called. Each is a script
// that calls the test's own program again, so that nothing has to be built, and nothing of it depends on the environment,
// which the tests are about. A test's TestMain must be Main.
package asmtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// again is the first argument of a test's program that is called as a stand-in.
const again = "stand-in"

// Main is the main function of a test that uses the stand-ins.
func Main(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == again {
		os.Exit(standIn{name: os.Args[2], dir: os.Args[3]}.act(os.Args[4:]))
	}
	os.Exit(m.Run())
}

// Tools are the stand-ins of one test.
type Tools struct {
	t *testing.T
	// Dir holds the programs asmcli, gcloud and istioctl; Bin holds kubectl.
	Dir, Bin string
}

// Fleet is that of the clusters of every test, Number that of its project.
const (
	Fleet  = "our-fleet"
	Number = "123"
)

// New writes the stand-ins. Clusters are members of Fleet, unless Unregister says otherwise.
func New(t *testing.T) *Tools {
	t.Helper()
	dir := t.TempDir()
	tools := &Tools{t: t, Dir: dir, Bin: filepath.Join(dir, "bin")}
	self, err := os.Executable()
	tools.must(err)
	tools.must(os.Mkdir(tools.Bin, 0o755))
	for _, path := range []string{"asmcli", "gcloud", "istioctl", "bin/kubectl"} {
		text := fmt.Sprintf("#!/bin/sh\nexec '%s' %s %s '%s' \"$@\"\n", self, again, filepath.Base(path), dir)
		tools.must(os.WriteFile(filepath.Join(dir, path), []byte(text), 0o755))
	}
	tools.must(os.WriteFile(filepath.Join(dir, fleetFile), []byte(Fleet), 0o600))
	return tools
}

func (x *Tools) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// Unregister takes the clusters out of their fleet.
func (x *Tools) Unregister() { x.must(os.Remove(filepath.Join(x.Dir, fleetFile))) }

// Program gives the path of a stand-in.
func (x *Tools) Program(name string) string { return filepath.Join(x.Dir, name) }

// Kubeconfig writes one whose context is ctx_NAME@a.b, and gives its path.
func (x *Tools) Kubeconfig(name string) string {
	x.t.Helper()
	path := filepath.Join(x.Dir, name+".yaml")
	x.must(os.WriteFile(path, []byte("current-context: ctx_"+name+"@a.b\n"), 0o600))
	return path
}

// Calls are the command lines of all stand-ins, in order, with DIR for their directory.
func (x *Tools) Calls() []string { return x.lines(callsFile) }

// Environment gives, by stand-in, the names of the variables that it was called with.
func (x *Tools) Environment() []string {
	all := x.lines(environmentFile)
	slices.Sort(all)
	return slices.Compact(all)
}

// Secrets are the remote secrets that were made: "west.yaml has NAME of east.yaml", sorted.
func (x *Tools) Secrets() []string {
	all := x.lines(secretsFile)
	slices.Sort(all)
	return all
}

func (x *Tools) lines(name string) []string {
	x.t.Helper()
	text, err := os.ReadFile(filepath.Join(x.Dir, name))
	if os.IsNotExist(err) {
		return nil
	}
	x.must(err)
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), x.Dir, "DIR"), "\n"), "\n")
}

// Pairs gives the secrets of so many clusters of these names, named as name says, each ordered pair once and none to itself.
func Pairs(names []string, name func(string) string) []string {
	var all []string
	for _, from := range names {
		for _, to := range names {
			if from != to {
				all = append(all, made(to+".yaml", name(from), from+".yaml"))
			}
		}
	}
	slices.Sort(all)
	return all
}

func made(to, name, from string) string { return fmt.Sprintf("%s has %s of %s", to, name, from) }
