package release

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Images are those of the samples that the guide deploys, each once for each Deployment that has it.
func (d *Dir) Images() ([]string, error) {
	var all []string
	for _, name := range []string{helloworld, sleep} {
		text, err := os.ReadFile(filepath.Join(d.Samples, name))
		if err != nil {
			return nil, fmt.Errorf("read the samples' images: %w", err)
		}
		images, err := imagesOf(text)
		if err != nil {
			return nil, fmt.Errorf("read the images of %s: %w", filepath.Join(d.Samples, name), err)
		}
		all = append(all, images...)
	}
	return all, nil
}

func imagesOf(manifests []byte) ([]string, error) {
	var all []string
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), len(manifests))
	for {
		var o struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
		switch err := documents.Decode(&o); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		for _, c := range o.Spec.Template.Spec.Containers {
			all = append(all, c.Image)
		}
	}
}
