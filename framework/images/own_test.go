package images

import "testing"

func TestProbeImage(t *testing.T) {
	for given, want := range map[string]string{
		"":                                 ProbeRef(),
		"registry.example:5000/mesh/probe": "registry.example:5000/mesh/probe:" + ProbeMadeFrom(),
		"probe":                            "probe:" + ProbeMadeFrom(),
		"registry.example/mesh/probe:mine": "registry.example/mesh/probe:mine",
		"registry.example/probe@sha256:ab": "registry.example/probe@sha256:ab",
	} {
		if got := ProbeImage(given); got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
}
