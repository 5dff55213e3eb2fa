// Package apitest is a Kubernetes API server in memory, as far as the project's own tests need one: it keeps the objects
// that are written to it, lists them by label, and can be told to fail. It checks nothing.
package apitest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
)

// Version is what every server says of itself.
const Version = "v1.36.1"

// Server is one API server. Its fields may be set before its first use only.
type Server struct {
	http  *httptest.Server
	speak func() // of a silent one

	mu      sync.Mutex
	objects map[string]map[string]any // by path
	calls   []string                  // "VERB path", writes only
	fail    map[string]int            // by "VERB path": the status
	lost    map[string]bool           // by "VERB path": it is done, and the reply is lost
	during  map[string]func()         // by "VERB path": what happens while it is done
	known   map[string][]metav1.APIResource
	denied  map[string]bool // by "VERB RESOURCE": what reviews of access say
	writes  int             // so far: gives each object its UID and each state of it its version
}

// New starts a server that ends with the test. It knows the kinds that the project writes.
func New(t *testing.T) *Server {
	t.Helper()
	s := newServer()
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.http.Close)
	return s
}

func newServer() *Server {
	return &Server{objects: map[string]map[string]any{}, fail: map[string]int{}, lost: map[string]bool{}, during: map[string]func(){}, known: resources(), denied: map[string]bool{}}
}

// Cluster opens the server as a cluster of that name; its kubeconfig has one context, ctx-NAME.
func (s *Server) Cluster(t *testing.T, name string) *cluster.Cluster {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), name+".yaml")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: ctx-%[1]s,
clusters: [{name: %[1]s, cluster: {server: %[2]q}}], users: [{name: admin, user: {token: secret-%[1]s}}],
contexts: [{name: ctx-%[1]s, context: {cluster: %[1]s, user: admin}}]}`, name, s.http.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Open(name, "network-"+name, kubeconfig, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Put stores an object, given as YAML, under its path ("/api/v1/namespaces/sample"), which also gives its kind.
func (s *Server) Put(t *testing.T, path, text string) {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o["kind"], o["apiVersion"] = s.kindOf(filepath.Dir(path)), version(path)
	s.keep(path, o)
}

// Get gives the object at a path, or nil.
func (s *Server) Get(path string) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.objects[path]; ok {
		return &unstructured.Unstructured{Object: o}
	}
	return nil
}

// Remove takes away the object at a path.
func (s *Server) Remove(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, path)
}

// Calls gives the writes so far, as "VERB path".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Paths gives the paths of all objects, sorted.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for path := range s.objects {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// Close ends the server before its test does: nothing answers any more.
func (s *Server) Close() { s.http.Close() }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.Path
	changes := r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" && path != reviews
	if changes {
		s.calls = append(s.calls, r.Method+" "+path)
	}
	if do := s.during[r.Method+" "+path]; do != nil {
		do()
	}
	if code := s.fail[r.Method+" "+path]; code != 0 {
		refuse(w, code)
		return
	}
	if s.discovery(w, path) {
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.read(w, path, r.URL.Query().Get("labelSelector"))
	case http.MethodPost, http.MethodPatch, http.MethodPut:
		if s.lost[r.Method+" "+path] {
			s.write(httptest.NewRecorder(), path, r, changes)
			refuse(w, http.StatusGatewayTimeout)
			return
		}
		s.write(w, path, r, changes)
	case http.MethodDelete:
		s.remove(w, path, r)
	default:
		refuse(w, http.StatusMethodNotAllowed)
	}
}

func (s *Server) discovery(w http.ResponseWriter, path string) bool {
	switch path {
	case "/readyz":
		_, _ = io.WriteString(w, "ok")
	case "/version":
		send(w, map[string]string{"gitVersion": Version})
	case "/api":
		send(w, metav1.APIVersions{Versions: []string{"v1"}})
	case "/apis":
		list := metav1.APIGroupList{}
		for gv := range s.known {
			group, version, ok := strings.Cut(gv, "/")
			if !ok {
				continue
			}
			v := metav1.GroupVersionForDiscovery{GroupVersion: gv, Version: version}
			list.Groups = append(list.Groups, metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
		}
		send(w, list)
	default:
		gv := strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/")
		list, ok := s.known[gv]
		if !ok {
			return false
		}
		send(w, metav1.APIResourceList{GroupVersion: gv, APIResources: list})
	}
	return true
}

func (s *Server) read(w http.ResponseWriter, path, selector string) {
	if o, ok := s.objects[path]; ok {
		send(w, o)
		return
	}
	kind := s.kindOf(path)
	if kind == "" {
		refuse(w, http.StatusNotFound)
		return
	}
	matches, err := labels.Parse(selector)
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	items := []any{}
	for _, at := range s.sorted() {
		o := unstructured.Unstructured{Object: s.objects[at]}
		everywhere := !strings.Contains(path, "/namespaces/") && version(at) == version(path) && filepath.Base(filepath.Dir(at)) == filepath.Base(path)
		if (filepath.Dir(at) == path || everywhere) && matches.Matches(labels.Set(o.GetLabels())) {
			items = append(items, o.Object)
		}
	}
	send(w, map[string]any{"kind": kind + "List", "apiVersion": version(path), "items": items})
}

func (s *Server) sorted() []string {
	var all []string
	for path := range s.objects {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// kindOf gives the kind of a collection's path, or "" when it is none.
func (s *Server) kindOf(path string) string {
	for _, r := range s.known[version(path)] {
		if filepath.Base(path) == r.Name {
			return r.Kind
		}
	}
	return ""
}

func version(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "api" {
		return parts[1]
	}
	return strings.Join(parts[1:min(3, len(parts))], "/")
}

// write stores the object, unless nothing is to be kept of it: a dry run, and a review of access.
func (s *Server) write(w http.ResponseWriter, path string, r *http.Request, keep bool) {
	o, err := decode(r)
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	if path == reviews {
		s.review(w, o)
		return
	}
	if r.Method == http.MethodPost {
		path += "/" + (&unstructured.Unstructured{Object: o}).GetName()
		if _, there := s.objects[path]; there {
			refuse(w, http.StatusConflict)
			return
		}
	}
	if o = s.merged(w, path, r, o); o == nil {
		return
	}
	if keep {
		s.keep(path, o)
	}
	send(w, o)
}

func send(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, code int) {
	refuseAs(w, code, map[int]metav1.StatusReason{404: metav1.StatusReasonNotFound, 409: metav1.StatusReasonAlreadyExists, 403: metav1.StatusReasonForbidden}[code])
}

func refuseAs(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: http.StatusText(code),
	})
}
