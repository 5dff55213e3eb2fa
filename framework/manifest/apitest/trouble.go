package apitest

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Silent starts a server that takes every request and answers none until Speak, or until the test ends.
func Silent(t *testing.T) *Server {
	t.Helper()
	s := newServer()
	end := make(chan struct{})
	s.speak = sync.OnceFunc(func() { close(end) })
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-end
		refuse(w, http.StatusGatewayTimeout)
	}))
	t.Cleanup(func() { s.speak(); s.http.Close() })
	return s
}

// Speak has a silent server say of every request, also of those that wait, that it failed.
func (s *Server) Speak() { s.speak() }

// Know adds a kind that has no namespaces, as the installation of a CustomResourceDefinition does.
func (s *Server) Know(groupVersion, plural, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[groupVersion] = append(s.known[groupVersion], metav1.APIResource{Name: plural, Kind: kind, Verbs: metav1.Verbs{"get"}})
}

// Fail makes every call of that verb and path end with the status; 0 takes it back.
func (s *Server) Fail(verb, path string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[verb+" "+path] = status
}

// During has something happen while calls of that verb and path are under way, before they are done. It must not call the server.
func (s *Server) During(verb, path string, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.during[verb+" "+path] = do
}

// Lose makes every write of that verb and path be done, and its reply be lost: the caller sees a server that failed.
func (s *Server) Lose(verb, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost[verb+" "+path] = true
}
