package release

import (
	"reflect"
	"testing"
)

func TestImages(t *testing.T) {
	dir := t.TempDir()
	d := &Dir{Samples: dir}
	write(t, 0o644, "kind: Service\nspec: {ports: [{port: 5000}]}\n---\nkind: Deployment\nspec: {template: {spec: {containers: [{name: a, image: \"docker.io/istio/v1:1\"}]}}}\n---\n"+
		"kind: Deployment\nspec: {template: {spec: {containers: [{name: a, image: docker.io/istio/v2:1}]}}}\n", dir, helloworld)
	if _, err := d.Images(); err == nil {
		t.Error("a sample that is not there has no images")
	}
	write(t, 0o644, "kind: Deployment\nspec: {template: {spec: {containers: [{name: a, image: curlimages/curl}]}}}\n", dir, sleep)
	want := []string{"docker.io/istio/v1:1", "docker.io/istio/v2:1", "curlimages/curl"}
	if got, err := d.Images(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	write(t, 0o644, "kind: [", dir, sleep)
	if _, err := d.Images(); err == nil {
		t.Error("a sample that is no YAML has no images")
	}
}
