// Package release is a release directory as `asmcli --output_dir` lays it out, in which the guide's commands run: istioctl,
// the gateway's files under asm/istio/expansion, and the samples. It opens a real one, or puts one together from an
// Istio module.
package release

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/shell"
)

// Files of a release directory, relative to it.
const (
	Istioctl       = "istioctl"
	GatewayScript  = "asm/istio/expansion/gen-eastwest-gateway.sh"
	ExposeServices = "asm/istio/expansion/expose-services.yaml"
	helloworld     = "samples/helloworld/helloworld.yaml"
	sleep          = "samples/sleep/sleep.yaml"
)

// Dir is a checked release directory.
type Dir struct {
	// Path is absolute.
	Path string
	// Istioctl is the absolute path of the program.
	Istioctl string
	// Samples is what the guide calls SAMPLES_DIR: ${SAMPLES_DIR}/samples/helloworld/helloworld.yaml is there.
	Samples string
	// Version is istioctl's own: "1.23.2-asm.2"; the module version of one that was built from the Istio module;
	// "unknown" when it says nothing.
	Version string
}

// odd are the characters that mean something to a shell in an unquoted word.
var odd = regexp.MustCompile(`[^A-Za-z0-9_@%+=:,./-]`)

// Open checks the layout of the directory and names everything that is missing.
func Open(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open release directory: %w", err)
	}
	d := &Dir{Path: path, Istioctl: filepath.Join(path, Istioctl)}
	errs := []error{
		executable(path, Istioctl), executable(path, GatewayScript), file(path, ExposeServices),
	}
	if d.Samples, err = samples(path); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, Unquoted(path))
	if what := inOneLine(errs); what != "" {
		return nil, fmt.Errorf("open release directory %s: %s: give the --output_dir of `asmcli install`", path, what)
	}
	if d.Version, err = version(d.Istioctl); err != nil {
		return nil, fmt.Errorf("open release directory %s: %w", path, err)
	}
	return d, nil
}

// Unquoted is an error when a release directory cannot have that path.
func Unquoted(path string) error {
	if word := odd.FindString(path); word != "" {
		return fmt.Errorf("its path contains %q, which the guide's unquoted ${SAMPLES_DIR} would not survive", word)
	}
	return nil
}

// inOneLine joins what is wrong; "" is nothing.
func inOneLine(errs []error) string {
	var all []string
	for _, err := range errs {
		if err != nil {
			all = append(all, err.Error())
		}
	}
	return strings.Join(all, "; ")
}

func file(path, name string) error {
	info, err := os.Stat(filepath.Join(path, name))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("it has no %s", name)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("its %s is not a file", name)
	}
	return nil
}

func executable(path, name string) error {
	if err := file(path, name); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(path, name))
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("its %s is not executable", name)
	}
	return nil
}

// samples finds SAMPLES_DIR: the directory itself, or the istio-VERSION in it, where asmcli unpacks Istio.
func samples(path string) (string, error) {
	unpacked, err := filepath.Glob(filepath.Join(path, "istio-*"))
	if err != nil {
		return "", fmt.Errorf("look for istio-VERSION: %w", err)
	}
	var found []string
	for _, dir := range append([]string{path}, unpacked...) {
		if file(dir, helloworld) == nil && file(dir, sleep) == nil {
			found = append(found, dir)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("neither it nor an istio-VERSION in it has %s and %s", helloworld, sleep)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("the samples are there more than once (%q), and it cannot be told which belong to the release: leave one", found)
}

// versionLimit bounds the call of istioctl; it takes about 0.1 s.
const versionLimit = 20 * time.Second

// version asks istioctl, and where its build left the version out, the module version that Go noted in it.
func version(istioctl string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), versionLimit, fmt.Errorf("no answer within %s", versionLimit))
	defer cancel()
	r, err := shell.Run(ctx, shell.Command{Args: []string{istioctl, "version", "--remote=false", "-o", "json"}, Env: []string{"HOME=" + os.TempDir()}})
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w: see that the file is an istioctl for this machine", istioctl, err)
	}
	var answer struct {
		ClientVersion struct {
			Version string `json:"version"`
		} `json:"clientVersion"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &answer); err != nil {
		return "", fmt.Errorf("read the version that %s prints: %w", istioctl, err)
	}
	const unknown = "unknown"
	if v := answer.ClientVersion.Version; v != "" && v != unknown {
		return v, nil
	}
	info, err := buildinfo.ReadFile(istioctl)
	if err != nil {
		return unknown, nil // a stripped or foreign build: nothing says more
	}
	const module = "istio.io/istio"
	if info.Main.Path == module {
		return info.Main.Version, nil
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version, nil
		}
	}
	return unknown, nil
}
