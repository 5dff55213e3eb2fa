package guide

import (
	"strings"
	"testing"
)

func TestAnUnknownKeyIsAnError(t *testing.T) {
	for name, into := range map[string]func() any{
		"platforms.yaml": func() any { return &Matrix{} },
		"steps.yaml":     func() any { return &stepsFile{} },
		"oddities.yaml":  func() any { return &odditiesFile{} },
		"terminal.yaml":  func() any { return &terminalFile{} },
	} {
		whole, err := data.ReadFile("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(name, whole, into()); err != nil {
			t.Fatal(err)
		}
		nested := strings.Replace(string(whole), " id: ", " idd: ", 1)
		if name == "terminal.yaml" {
			nested = strings.Replace(string(whole), "meaning: ", "meening: ", 1)
		}
		for what, text := range map[string]string{"at the top": string(whole) + "\nsurprise: 1\n", "deeper": nested} {
			if err := decode(name, []byte(text), into()); err == nil || !strings.Contains(err.Error(), "unknown field") || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with an unknown key %s: error %v, want one that names the file and the field", name, what, err)
			}
		}
	}
}

func TestDataThatNameWhatIsNotThereAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*Matrix)
		want  string
	}{
		{"a platform's group", func(m *Matrix) { m.Platforms[0].Group = "none" }, `platform gke-vmware is in group "none"`},
		{"an item's platform", func(m *Matrix) { m.Items[1].Platforms = []string{"none"} }, `stands for platform "none"`},
		{"a tab's CA", func(m *Matrix) { m.Groups[1].Tabs[0].CAs = []string{"none"} }, `group attached offers the CA "none"`},
	} {
		m, err := LoadMatrix()
		if err != nil {
			t.Fatal(err)
		}
		tc.spoil(&m)
		if err := m.check(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that says %q", tc.name, err, tc.want)
		}
	}
	sound := Oddity{ID: "x", Kind: Wrong, Steps: []string{"S1"}, Claim: "c"}
	for _, tc := range []struct {
		name  string
		spoil func(*Oddity)
		want  string
	}{
		{"nothing", func(*Oddity) {}, ""},
		{"its kind", func(o *Oddity) { o.Kind = "odd" }, `is of kind "odd"`},
		{"neither claim nor reason", func(o *Oddity) { o.Claim = "" }, "needs the claim"},
		{"claim and reason", func(o *Oddity) { o.Reason = "r" }, "not both"},
		{"its step", func(o *Oddity) { o.Steps = []string{"S16"} }, `is about step "S16"`},
	} {
		o := sound
		tc.spoil(&o)
		err := o.check([]Step{{ID: "S1"}})
		if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
	}
}
