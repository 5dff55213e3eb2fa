package session

import (
	"errors"
	"strings"
	"testing"
)

func TestRemoteNames(t *testing.T) {
	const context, id = "kind_mp.r1", "cn-meshproof-global-east"
	for names, want := range map[RemoteNames]string{"": "kind-mp-r1", ByContext: "kind-mp-r1", ByClusterID: id} {
		o := Options{Tools: Tools{RemoteNames: names}}
		if got, err := o.remoteName("east", context, id); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", names, got, err, want)
		}
	}
	for _, bad := range []string{"", "Upper", strings.Repeat("a", 64)} {
		o := Options{Tools: Tools{RemoteNames: ByClusterID}}
		if _, err := o.remoteName("east", context, bad); !errors.As(err, new(*UsageError)) {
			t.Errorf("%q is taken as a name: %v", bad, err)
		}
	}
}

// TestKindClustersOfALongFleet: the ids of clusters that the run makes follow from its flags, and are refused before that.
func TestKindClustersOfALongFleet(t *testing.T) {
	for fleet, sound := range map[string]bool{strings.Repeat("f", 40): true, strings.Repeat("f", 60): false} {
		for _, names := range []RemoteNames{ByContext, ByClusterID} {
			dir := t.TempDir()
			_, err := begin(Options{Revision: "r", Fleet: fleet, ProjectNumber: "1", Samples: 600, Alpha: 1e-8, StateDir: dir, ReportDir: dir + "/report",
				Tell: silent{}, Tools: Tools{RemoteNames: names}})
			if want := sound || names == ByContext; (err == nil) != want {
				t.Errorf("a fleet of %d characters, names after %s: %v", len(fleet), names, err)
			}
		}
	}
}
