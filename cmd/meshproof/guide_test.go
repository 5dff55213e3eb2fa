package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// execute gives what a command line prints, and its exit code.
func execute(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	code := codeOf(err)
	if err != nil {
		out.WriteString(err.Error())
	}
	return out.String(), code
}

func TestGuidePrints(t *testing.T) {
	for _, tc := range []struct {
		args  string
		lines int // 0 = any number
		want  []string
	}{
		{"guide --all", 14, []string{
			"gke-vmware       mesh-ca     pair 1: --set spec.values.global.pilotCertProvider=kubernetes\n",
			"attached-aks     istio-ca    pair 2: --set spec.values.global.pilotCertProvider=istiod\n",
		}},
		{"guide --all --mode corrected", 14, []string{"gke-azure        mesh-ca     pair 2: --set values.global.pilotCertProvider=istiod\n"}},
		{"guide --platform attached-eks --ca istio-ca --mode literal", 0, []string{"# on attached-eks with istio-ca, literal mode.\n", "    --network default \\\n"}},
		{"guide --platform attached-eks --ca istio-ca --mode corrected", 0, []string{"corrected mode.\n", "    --network ${NETWORK_1} \\\n"}},
	} {
		t.Run(tc.args, func(t *testing.T) {
			out, code := execute(t, strings.Fields(tc.args)...)
			if code != 0 || tc.lines != 0 && strings.Count(out, "\n") != tc.lines {
				t.Fatalf("exit code %d, want 0 and %d lines:\n%s", code, tc.lines, out)
			}
			for _, want := range tc.want {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestGuideDiff(t *testing.T) {
	page, err := os.ReadFile("../../framework/guide/testdata/guide-ja.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"page.txt":   string(page),
		"edited.txt": strings.Replace(string(page), "-n istio-system get pods", "-n asm-system get pods", 1),
		"other.txt":  "Boil the rice.\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		file string
		code int
		want string
	}{
		{"page.txt", 0, "no drift: page.txt"},
		{"edited.txt", 1, "line 184: changed: S9 Find the revision label: the page has `-n asm-system` instead of `-n istio-system`\n"},
		{"other.txt", 2, "read the page other.txt: it has none of the guide's commands"},
		{"none.txt", 2, "read the page: open none.txt"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			if out, code := execute(t, "guide", "diff", tc.file); code != tc.code || !strings.Contains(out, tc.want) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, tc.code, tc.want, out)
			}
		})
	}
}
