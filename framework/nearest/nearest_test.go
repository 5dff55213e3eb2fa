package nearest

import "testing"

func TestWord(t *testing.T) {
	known := []string{"name", "network", "platform", "revision", "kubeconfig"}
	for word, want := range map[string]string{
		"netwrk": "network", "Network": "network", "rev": "", "kubeconfg": "kubeconfig", "nam": "name", "zone": "", "": "",
		"platfom": "platform", "revisions": "revision",
	} {
		if got := Word(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Hint("netwrk", known); got != `: did you mean "network"?` {
		t.Error(got)
	}
	if got := Hint("zone", known); got != "" {
		t.Error(got)
	}
}
