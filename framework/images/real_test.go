package images

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/meshproof/meshproof/framework/images/internal/engine"
)

// realOnly skips tests that need an engine, package registries and some gigabytes: `go test` alone runs none of them.
func realOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("MESHPROOF_REAL_IMAGES") == "" {
		t.Skip("set MESHPROOF_REAL_IMAGES=1 to build every image, push it to a registry and pull it again")
	}
}

func follow(t *testing.T) func(Event) {
	start := time.Now()
	return func(e Event) {
		t.Logf("%6.1f %s %d/%d %s %s, left: %s", time.Since(start).Seconds(), e.State, e.Number, e.Total, e.Item,
			e.Elapsed.Round(time.Second/10), strings.Join(e.Remaining, ", "))
	}
}

func show(t *testing.T, set *Set) {
	t.Helper()
	v := reflect.ValueOf(*set)
	for i := range v.NumField() {
		t.Logf("%s: %v", v.Type().Field(i).Name, v.Field(i))
	}
}

// TestReal builds every image into the user's cache, pushes them to a registry on loopback, and makes them available
// from there with an empty cache; what each step leaves must be the same images.
func TestReal(t *testing.T) {
	realOnly(t)
	built, err := Ensure(t.Context(), Options{Source: Source, Progress: follow(t)})
	if err != nil {
		t.Fatal(err)
	}
	show(t, built)
	again := time.Now()
	if _, err := Ensure(t.Context(), Options{Source: Source, Progress: func(e Event) { t.Errorf("the second call did work: %v", e) }}); err != nil {
		t.Fatal(err)
	}
	t.Logf("second call: %s", time.Since(again))

	server := httptest.NewServer(registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(t.TempDir())), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	mirror := strings.TrimPrefix(server.URL, "http://") + "/mirror/of"
	pushing := time.Now()
	if err := Push(t.Context(), built, mirror, Options{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("push: %s", time.Since(pushing))
	o := Options{Source: Auto, Registry: mirror, CacheDir: t.TempDir(), Progress: follow(t)}
	fromMirror, err := Ensure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the engine outlives the test
		if _, err := (engine.Docker{}).Do(context.Background(), "rmi", fromMirror.Node, fromMirror.RegistryImage); err != nil {
			t.Error(err)
		}
	})
	show(t, fromMirror)
	if fromMirror.Source != Registry || !fromMirror.UpstreamEnvoy || !fromMirror.NoKindnet {
		t.Errorf("from the mirror: source %s, upstream Envoy %v, no kindnet %v; want registry, true, true",
			fromMirror.Source, fromMirror.UpstreamEnvoy, fromMirror.NoKindnet)
	}
	fromRelease(t, o, built)
	server.Close()
	o.Source, o.Progress = Registry, func(e Event) { t.Errorf("the second call did work: %v", e) }
	if _, err := Ensure(t.Context(), o); err != nil {
		t.Errorf("second call, without the registry: %v", err)
	}
}

// fromRelease gives a directory with the built istioctl as a release: its images are pulled, and nothing is compiled.
func fromRelease(t *testing.T, o Options, built *Set) {
	t.Helper()
	o.ReleaseDir = t.TempDir()
	if err := os.Symlink(built.Istioctl, filepath.Join(o.ReleaseDir, "istioctl")); err != nil {
		t.Fatal(err)
	}
	o.Progress = func(e Event) {
		if strings.HasPrefix(e.Item, "compile") {
			t.Errorf("with a release, there is still something to compile: %v", e)
		}
	}
	set, err := Ensure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if set.Hub != built.Hub || set.Tag != built.Tag || filepath.Dir(set.Istioctl) != o.ReleaseDir || !set.UpstreamEnvoy {
		t.Errorf("with a release: hub %s, tag %s, istioctl %s, upstream Envoy %v", set.Hub, set.Tag, set.Istioctl, set.UpstreamEnvoy)
	}
}
