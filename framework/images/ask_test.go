package images

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	var blobs int
	host := registryOn(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.Contains(r.URL.Path, "/denied"):
				w.WriteHeader(http.StatusForbidden)
				return
			case strings.Contains(r.URL.Path, "/blobs/") && r.Method == http.MethodGet:
				blobs++
			}
			h.ServeHTTP(w, r)
		})
	})
	pushRandom(t, host+"/p/some/image:1")
	for name, mirror := range map[string]string{"a mirror": host + "/p", "their own registry": ""} {
		refs := []string{"docker.io/some/image:1", "docker.io/some/image:2", "docker.io/some/denied:1"}
		if mirror == "" {
			for i, ref := range refs {
				refs[i] = strings.Replace(ref, "docker.io", host+"/p", 1)
			}
		}
		got := Ask(t.Context(), Options{Registry: mirror}, refs)
		if len(got) != 3 || got[0].Ref != refs[0] || got[0].Err != nil || !errors.Is(got[1].Err, ErrNowhere) || got[2].Err == nil || errors.Is(got[2].Err, ErrNowhere) {
			t.Errorf("%s: %+v, want the first, not the second, and nothing known of the third", name, got)
		}
	}
	if blobs != 0 {
		t.Errorf("%d blobs were downloaded", blobs)
	}
}

// TestAskForRun: a mirror that holds nothing lacks all that a run pulls from it, but not what is built otherwise.
func TestAskForRun(t *testing.T) {
	got, err := AskForRun(t.Context(), Options{Source: Registry, Registry: registryOn(t, plain)})
	if err != nil || len(got) == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, a := range got {
		if !errors.Is(a.Err, ErrNowhere) || strings.HasPrefix(a.Ref, ProbeRef()[:strings.Index(ProbeRef(), "/")+1]) {
			t.Errorf("%s: %v", a.Ref, a.Err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		a, b     string
		same     bool
		registry string
	}{
		{"curlimages/curl:1", "docker.io/curlimages/curl:1", true, "index.docker.io"},
		{"curlimages/curl:1", "docker.io/curlimages/curl:2", false, "index.docker.io"},
		{"registry.example/a/b", "registry.example/a/b:latest", true, "registry.example"},
		{"registry.example:5000/a/b:1", "registry.example/a/b:1", false, "registry.example:5000"},
		{"NOT A NAME", "NOT A NAME", true, ""},
	} {
		if got := Same(tc.a, tc.b); got != tc.same {
			t.Errorf("%s and %s are the same: %t", tc.a, tc.b, got)
		}
		if got := RegistryOf(tc.a); got != tc.registry {
			t.Errorf("%s is in %q, want %q", tc.a, got, tc.registry)
		}
	}
}
