package images

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/meshproof/meshproof/framework/images/internal/progress"
	"github.com/meshproof/meshproof/framework/images/internal/store"
	"github.com/meshproof/meshproof/framework/images/source"
)

// registryOn starts a registry on loopback; wrap may stand before it.
func registryOn(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	server := httptest.NewServer(wrap(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func plain(h http.Handler) http.Handler { return h }

// pushRandom pushes an image of this machine's architecture with a label.
func pushRandom(t *testing.T, ref string) v1.Image {
	t.Helper()
	img, err := random.Image(64<<10, 2)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: rootFS(t, img),
		Config: v1.Config{Labels: map[string]string{source.LabelStandsInFor: "the real one"}}})
	if err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, img); err != nil {
		t.Fatal(err)
	}
	return img
}

func rootFS(t *testing.T, img v1.Image) v1.RootFS {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return c.RootFS
}

func testPuller(t *testing.T) *puller {
	t.Helper()
	st, err := store.Open(t.TempDir(), progress.New(nil).Do)
	if err != nil {
		t.Fatal(err)
	}
	return &puller{store: st, report: progress.New(nil)}
}

func TestPulledImageHasTheNameThatNodesAskFor(t *testing.T) {
	host := registryOn(t, plain)
	w := wanted{Image: Image{Ref: "docker.io/some/image:1"}, from: []string{host + "/p/not/there:1", host + "/p/some/image:1"}}
	img := pushRandom(t, w.from[1])
	p := testPuller(t)
	dir, err := p.layoutOf(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	got, err := layoutImage(dir, w.Ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(got); err != nil {
		t.Error(err)
	}
	want, err := img.Digest()
	if digest, gotErr := got.Digest(); err != nil || gotErr != nil || digest != want {
		t.Errorf("digest %s, want %s", digest, want)
	}
	if is, err := labels(dir, w.Ref); err != nil || is[source.LabelStandsInFor] != "the real one" {
		t.Errorf("labels %v, %v", is, err)
	}
	if _, err := layoutImage(dir, "docker.io/other:1"); err == nil {
		t.Error("an image that was not pulled is there")
	}
}

func TestASecondPullAsksNobody(t *testing.T) {
	var asked []string
	host := registryOn(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Path); h.ServeHTTP(w, r) })
	})
	w := wanted{Image: Image{Ref: "docker.io/some/image:1"}, from: []string{host + "/some/image:1"}}
	pushRandom(t, w.from[0])
	p := testPuller(t)
	first, err := p.layoutOf(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	asked = nil
	second, err := p.layoutOf(t.Context(), w)
	if err != nil || second != first || len(asked) != 0 {
		t.Errorf("second pull: %s, %v, asked for %v; want %s and no question", second, err, asked, first)
	}
}

// cutBlobs answers half of each layer and then drops the connection, once cut is set.
func cutBlobs(cut *bool) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !*cut || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
				h.ServeHTTP(w, r)
				return
			}
			whole := httptest.NewRecorder()
			h.ServeHTTP(whole, r)
			w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
			_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
			panic(http.ErrAbortHandler)
		})
	}
}

func TestCutDownloadIsAnErrorAndLeavesNothing(t *testing.T) {
	cut := false
	host := registryOn(t, cutBlobs(&cut))
	w := wanted{Image: Image{Ref: "docker.io/some/image:1"}, from: []string{host + "/some/image:1"}}
	pushRandom(t, w.from[0])
	cut = true
	p := testPuller(t)
	_, err := p.layoutOf(t.Context(), w)
	if err == nil || !strings.Contains(err.Error(), w.from[0]) || !strings.Contains(err.Error(), "run again") {
		t.Errorf("got %v, want an error that names the image and says what to do", err)
	}
	for _, d := range []string{"entries", "tmp"} {
		if left, err := os.ReadDir(filepath.Join(p.store.Root(), d)); err != nil || len(left) != 0 {
			t.Errorf("%s holds %v, %v; want nothing", d, left, err)
		}
	}
	cut = false
	if _, err := p.layoutOf(t.Context(), w); err != nil {
		t.Errorf("the next run: %v", err)
	}
}

// TestARefusalIsNotTheEndOfTheSearch: a registry that denies what it does not hold may hold the next candidate; where it holds none,
// the refusal is what a person has to know.
func TestARefusalIsNotTheEndOfTheSearch(t *testing.T) {
	host := registryOn(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/denied/") {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	there := host + "/kindest/node:1"
	pushRandom(t, there)
	w := wanted{Image: Image{Ref: "docker.io/kindest/node:1"}, from: []string{host + "/denied/node:1", there}}
	if ref, _, err := find(t.Context(), w); err != nil || ref.String() != there {
		t.Errorf("found %v, error %v, want %s", ref, err, there)
	}
	w.from[1] = host + "/not/there:1"
	if _, _, err := find(t.Context(), w); err == nil || errors.Is(err, ErrNowhere) || !strings.Contains(err.Error(), w.from[0]) {
		t.Errorf("found nowhere: error %v, want the refusal of %s", err, w.from[0])
	}
}

func TestMissingImages(t *testing.T) {
	denies := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(http.StatusForbidden)
			}
		})
	}
	for name, c := range map[string]struct {
		wrap    func(http.Handler) http.Handler
		build   bool
		nowhere bool
	}{
		"not there":                     {plain, false, true},
		"not there, can be built":       {plain, true, true},
		"denied":                        {denies, false, false},
		"denied, but it can be built":   {denies, true, true},
		"a broken registry, even built": {func(http.Handler) http.Handler { return http.NotFoundHandler() }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := wanted{Image: Image{Ref: "docker.io/some/x:1"}, from: []string{registryOn(t, c.wrap) + "/some/x:1"}, build: c.build}
			_, err := testPuller(t).layoutOf(t.Context(), w)
			if err == nil || errors.Is(err, ErrNowhere) != c.nowhere || !strings.Contains(err.Error(), "--images source") {
				t.Errorf("got %v; want an error with a way out, nowhere to be found: %v", err, c.nowhere)
			}
		})
	}
}

func TestWantedImages(t *testing.T) {
	v := pinnedVersions(t)
	find := func(ws []wanted, ref string) wanted {
		i := slices.IndexFunc(ws, func(w wanted) bool { return w.Ref == ref })
		if i < 0 {
			t.Fatalf("%s is not wanted", ref)
		}
		return ws[i]
	}
	curl, pilot := v.Images["curl"], source.Hub+"/pilot:"+v.Istio.Version
	own := wantedImages(v, "", nil)
	if w := find(own, curl); !slices.Equal(w.from, []string{curl}) || w.build {
		t.Errorf("curl's image: %+v", w)
	}
	if w := find(own, pilot); len(w.from) != 0 || !w.build {
		t.Errorf("a snapshot that no registry holds: %+v", w)
	}
	mirror := wantedImages(v, "10.0.0.1:5000/a/b/", nil)
	if w := find(mirror, curl); !slices.Equal(w.from, []string{"10.0.0.1:5000/a/b/curlimages/curl:8.16.0"}) {
		t.Errorf("curl's image on a mirror: %+v", w)
	}
	if w := find(mirror, pilot); !slices.Equal(w.from, []string{"10.0.0.1:5000/a/b/istio/pilot:" + v.Istio.Version}) || !w.build {
		t.Errorf("the snapshot on a mirror: %+v", w)
	}
	release := wantedImages(v, "", &istioOf{hub: "gcr.io/gke-release/asm", tag: "1.23.2-asm.2"})
	for _, name := range []string{"pilot", "proxyv2"} {
		ref := "gcr.io/gke-release/asm/" + name + ":1.23.2-asm.2"
		if w := find(release, ref); !slices.Equal(w.from, []string{ref}) || w.build {
			t.Errorf("a release's image: %+v", w)
		}
	}
	if w := wantedNode(v, ""); len(w.from) != 1 || !strings.HasSuffix(w.from[0], "@"+v.NodeDigest) {
		t.Errorf("the node image is not pinned: %+v", w)
	}
	if w := wantedNode(v, "m"); !slices.Equal(w.from, []string{"m/meshproof/node:" + v.Modules["kubernetes"].Version, "m/kindest/node:v1.37.0"}) {
		t.Errorf("the node image on a mirror: %+v", w)
	}
}

func TestReleaseImages(t *testing.T) {
	for name, c := range map[string]struct{ script, hub, tag, err string }{
		"a release":  {`printf '          image: "gcr.io/gke-release/asm/pilot:1.23.2-asm.2"\n            image: busybox:1.28\n'`, "gcr.io/gke-release/asm", "1.23.2-asm.2", ""},
		"no pilot":   {`echo 'image: other:1'`, "", "", "another release"},
		"broken":     {`echo no cluster >&2; exit 1`, "", "", "no cluster"},
		"no release": {"", "", "", "asmcli --output_dir"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.script != "" {
				if err := os.WriteFile(filepath.Join(dir, "istioctl"), []byte("#!/bin/sh\n"+c.script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			got, err := releaseImages(t.Context(), dir)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || got.hub != c.hub || got.tag != c.tag {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
