package apitest

import (
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

// Deny makes reviews of access say that the user may not do that verb with that resource; everything else he may.
func (s *Server) Deny(verb, resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[verb+" "+resource] = true
}

func (s *Server) review(w http.ResponseWriter, o map[string]any) {
	verb, _, _ := unstructured.NestedString(o, "spec", "resourceAttributes", "verb")
	resource, _, _ := unstructured.NestedString(o, "spec", "resourceAttributes", "resource")
	o["status"] = map[string]any{"allowed": !s.denied[verb+" "+resource]}
	send(w, o)
}

// decode reads what was sent. Typed clients send protobuf.
func decode(r *http.Request) (map[string]any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if r.Header.Get("Content-Type") == runtime.ContentTypeProtobuf {
		typed, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err != nil {
			return nil, err
		}
		return runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	}
	var o map[string]any
	return o, yaml.Unmarshal(body, &o)
}
