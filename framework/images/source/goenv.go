package source

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/meshproof/meshproof/framework/images/internal/run"
)

// fixedEnv has the go command build for this machine's architecture, and for no newer processor than Go's default. No key of the cache
// depends on it, so nothing here may come from the machine.
func fixedEnv() []string {
	return []string{"GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0", "GO111MODULE=on", "GOOS=linux", "GOARCH=" + runtime.GOARCH,
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off"}
}

// placesOf are the settings that say where modules come from and where they and what is compiled are kept.
func placesOf() []string {
	return []string{"GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH", "GOTOOLCHAIN", "GOPATH",
		"GOMODCACHE", "GOCACHE", "GOTMPDIR"}
}

// goSettings asks the go command for its version, and gives the environment in which its results depend on nothing but a throw-away
// module and the toolchain. What `go env -w` has set does not count but for places: an empty variable would let it through.
func goSettings(ctx context.Context) (version string, env []string, err error) {
	out, err := goApart(ctx, fixedEnv(), append([]string{"env", "-json", "GOVERSION"}, placesOf()...)...)
	if err != nil {
		return "", nil, err
	}
	var is map[string]string
	if err := json.Unmarshal(out, &is); err != nil {
		return "", nil, err
	}
	env = append(fixedEnv(), "GOENV=off")
	for _, name := range placesOf() {
		env = append(env, name+"="+is[name])
	}
	return is["GOVERSION"], env, nil
}

// goApart runs the go command in an empty module of its own: one that lies around the cache directory would choose the toolchain, and be
// given checksums that are not its own.
func goApart(ctx context.Context, env []string, args ...string) (out []byte, err error) {
	dir, err := os.MkdirTemp("", "meshproof-go-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module meshproof.local/apart\n"), 0o644); err != nil {
		return nil, err
	}
	return run.Output(ctx, run.Cmd{Name: "go", Args: args, Dir: dir, Env: env})
}
