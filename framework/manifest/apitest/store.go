package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// keep stores the object under its path, with a UID and a time that it has for as long as it is there, and a version of its own.
func (s *Server) keep(path string, o map[string]any) {
	s.writes++
	u := &unstructured.Unstructured{Object: o}
	if before, there := s.objects[path]; there && u.GetUID() == "" {
		old := &unstructured.Unstructured{Object: before}
		u.SetUID(old.GetUID())
		u.SetCreationTimestamp(old.GetCreationTimestamp())
	}
	if u.GetUID() == "" {
		u.SetUID(types.UID(fmt.Sprintf("uid-%d", s.writes)))
	}
	if made := u.GetCreationTimestamp(); made.IsZero() {
		u.SetCreationTimestamp(metav1.Now())
	}
	u.SetResourceVersion(fmt.Sprint(s.writes))
	s.objects[path] = o
}

// merged gives what a write makes of the object that is there: a merge patch goes into it, and needs it; an update must be of the
// version that is there. nil = the write was refused.
func (s *Server) merged(w http.ResponseWriter, path string, r *http.Request, o map[string]any) map[string]any {
	before, there := s.objects[path]
	merge := r.Header.Get("Content-Type") == string(types.MergePatchType)
	switch {
	case !there && (merge || r.Method == http.MethodPut):
		refuse(w, http.StatusNotFound)
		return nil
	case merge:
		return mergeInto(before, o)
	case r.Method == http.MethodPut:
		given := (&unstructured.Unstructured{Object: o}).GetResourceVersion()
		if given != "" && given != (&unstructured.Unstructured{Object: before}).GetResourceVersion() {
			refuseAs(w, http.StatusConflict, metav1.StatusReasonConflict)
			return nil
		}
	}
	return o
}

// mergeInto gives a copy of the object with the patch in it.
func mergeInto(before, patch map[string]any) map[string]any {
	after := maps.Clone(before)
	for key, value := range patch {
		inner, nested := value.(map[string]any)
		if old, had := after[key].(map[string]any); nested && had {
			value = mergeInto(old, inner)
		}
		after[key] = value
	}
	return after
}

// remove takes the object away, when it is the one that the request means.
func (s *Server) remove(w http.ResponseWriter, path string, r *http.Request) {
	o, there := s.objects[path]
	if !there {
		refuse(w, http.StatusNotFound)
		return
	}
	var options metav1.DeleteOptions
	if body, err := decode(r); err == nil {
		text, _ := json.Marshal(body)
		_ = json.Unmarshal(text, &options)
	}
	u := &unstructured.Unstructured{Object: o}
	if p := options.Preconditions; p != nil && (p.UID != nil && *p.UID != u.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != u.GetResourceVersion()) {
		refuseAs(w, http.StatusConflict, metav1.StatusReasonConflict)
		return
	}
	delete(s.objects, path)
	send(w, o)
}
