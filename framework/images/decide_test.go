package images

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	hosts := []string{"one.example.com", "two.example.com"}
	silent := func(_ context.Context, host string) error {
		if host == hosts[1] {
			return errors.New("no such host")
		}
		return nil
	}
	answers := func(context.Context, string) error { return nil }
	for name, c := range map[string]struct {
		source, want string
		ask          func(context.Context, string) error
		reason       []string
	}{
		"asked for registry":  {Registry, Registry, silent, []string{"--images registry"}},
		"asked for source":    {Source, Source, answers, []string{"--images source"}},
		"auto, all answer":    {Auto, Registry, answers, hosts},
		"auto, one is silent": {Auto, Source, silent, []string{hosts[1], "no such host", "5s"}},
		"nothing said":        {"", Registry, answers, hosts},
		"wrong word":          {"pull", "", answers, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, reason, err := decide(t.Context(), Options{Source: c.source}, hosts, c.ask)
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			for _, part := range c.reason {
				if !strings.Contains(reason, part) {
					t.Errorf("the reason %q does not say %q", reason, part)
				}
			}
		})
	}
}

// Every question has the same limit, which is what keeps a firewall that drops packets from holding a run up.
func TestDecideBoundsEachQuestion(t *testing.T) {
	_, _, err := decide(t.Context(), Options{}, []string{"a"}, func(ctx context.Context, _ string) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a registry is asked without a limit")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAskRegistry(t *testing.T) {
	for status, answers := range map[int]bool{200: true, 401: true, 403: false, 404: false, 502: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
		}))
		err := askRegistry(t.Context(), strings.TrimPrefix(server.URL, "http://"))
		server.Close()
		if (err == nil) != answers {
			t.Errorf("%d: got %v, answers %v", status, err, answers)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if err := askRegistry(t.Context(), strings.TrimPrefix(server.URL, "http://")); err == nil {
		t.Error("a registry that is not there answered")
	}
}

func TestRegistryHosts(t *testing.T) {
	got, err := registryHosts([]string{"quay.io/a/b:1", "docker.io/cc:1", "127.0.0.1:5000/p/d:1", "quay.io/ee:2"})
	want := []string{"127.0.0.1:5000", "index.docker.io", "quay.io"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := registryHosts([]string{"not a reference"}); err == nil || !strings.Contains(err.Error(), "HOST/PREFIX") {
		t.Errorf("got %v, want an error that says how a mirror is given", err)
	}
}
