package guide_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/intent"
)

// eachScript runs a test on the script of each cell.
func eachScript(t *testing.T, mode intent.Mode, test func(t *testing.T, c guide.Cell, script string)) {
	t.Helper()
	m, err := guide.LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Cells() {
		t.Run(c.Platform+" "+c.CA+" "+string(mode), func(t *testing.T) {
			script, err := guide.Script(m, c, mode)
			if err != nil {
				t.Fatal(err)
			}
			test(t, c, script)
		})
	}
}

func TestBashReadsEachScript(t *testing.T) {
	for _, mode := range []intent.Mode{intent.Literal, intent.Corrected} {
		eachScript(t, mode, func(t *testing.T, _ guide.Cell, script string) {
			bash := exec.CommandContext(t.Context(), "bash", "-n")
			bash.Stdin = strings.NewReader(script)
			if out, err := bash.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("bash -n: %v: %s", err, out)
			}
			if !strings.Contains(script, "\nset -euo pipefail\n") {
				t.Error("the script goes on after an error")
			}
		})
	}
}

// printedFor gives the lines of the commands that the page prints for a cell. It knows nothing of the data's commands: a
// command's line is one that is neither Japanese, nor a name, nor of an output.
func printedFor(t *testing.T, c guide.Cell) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/guide-ja.txt")
	if err != nil {
		t.Fatal(err)
	}
	group := map[string]string{"anthos": "Anthos クラスタ", "attached": "Azure、AWS、接続"}[c.Group]
	tab := map[string]string{"anthos mesh-ca": "Mesh CA または CA サービス", "anthos ca-service": "Mesh CA または CA サービス",
		"anthos istio-ca": "Istio CA", "attached mesh-ca": "Mesh CA", "attached istio-ca": "Istio CA"}[c.Group+" "+c.CA]
	outputs := regexp.MustCompile(`^(NAME |istiod-|helloworld-|sleep-|Hello version|\.\.\.|label "|namespace/)`)
	var lines []string
	inGroup, inTab, inTabs := false, false, false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch line {
		case "Anthos クラスタ", "Azure、AWS、接続":
			inTabs, inGroup = true, line == group
		case "Mesh CA または CA サービス", "Mesh CA", "Istio CA":
			inTab = line == tab
		case "サービスの公開":
			inTabs = false
		}
		foreign := strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII })
		name := slices.Contains([]string{"", "Mesh CA", "Istio CA"}, line)
		if foreign || name || outputs.MatchString(line) || inTabs && (!inGroup || !inTab) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// placeholder is how a script writes one of the guide's placeholders.
var placeholder = regexp.MustCompile(`\$\{(FLEET_PROJECT_ID|CLUSTER_NAME_[12]|CLUSTER[12]_CONTEXT_NAME|PATH_TO_KUBECONFIG_[12]|REVISION)\}`)

func TestTheLiteralScriptHasThePagesCommandsAndNoOthers(t *testing.T) {
	eachScript(t, intent.Literal, func(t *testing.T, c guide.Cell, script string) {
		_, body, found := strings.Cut(script, "\nstep S1 ")
		if !found {
			t.Fatal("the script has no step S1")
		}
		var got []string
		for line := range strings.Lines("step S1 " + body) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "step S") || strings.HasPrefix(line, "pause '") {
				continue
			}
			got = append(got, placeholder.ReplaceAllString(line, "$1"))
		}
		want := printedFor(t, c)
		if len(want) < 60 {
			t.Fatalf("the page seems to have only %d lines of commands: %q", len(want), want)
		}
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("line %d of the commands: script %q\npage %q", i+1, got[min(i, len(got)-1):], want[min(i, len(want)-1):])
			}
		}
	})
}

// TestThePageIndentsAsTheDataDo looks at what the comparison of trimmed lines cannot see.
func TestThePageIndentsAsTheDataDo(t *testing.T) {
	text, err := os.ReadFile("testdata/guide-ja.txt")
	if err != nil {
		t.Fatal(err)
	}
	m, err := guide.LoadMatrix()
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range m.Cells() {
		commands, err := guide.Commands(cell.Words, intent.Literal)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commands {
			found := false
			for _, indent := range []string{"", "  ", "    "} {
				found = found || strings.Contains(string(text), indent+strings.ReplaceAll(c.Text, "\n", "\n"+indent)+"\n")
			}
			if !found && !strings.HasSuffix(strings.TrimRight(string(text), "\n"), c.Text) {
				t.Errorf("the page has no such text for %s:\n%s", c.ID, c.Text)
			}
		}
	}
}

func TestTheCorrectedScriptNamesEachDeviation(t *testing.T) {
	eachScript(t, intent.Corrected, func(t *testing.T, c guide.Cell, script string) {
		word := c.Words["pilotCertProvider"]
		for _, want := range []string{
			"# Deviation: the guide prints: --network default\n#            here stands:      --network ${NETWORK_1}\n# Reason: one network name",
			"# Deviation: the guide prints: --set spec.values.global.pilotCertProvider=" + word + "\n#            here stands:      --set values.global.pilotCertProvider=" + word + "\n# Reason: istioctl 1.24",
			"(finding F1)", "(finding F2)",
			"--revision ${REVISION} |", "step S9.2 ", "kubectl --context=${CTX_2} -n istio-system get pods",
			"# Deviation: added, the guide has nothing here. Reason: istioctl does not wait",
		} {
			if !strings.Contains(script, want) {
				t.Errorf("the script lacks %q", want)
			}
		}
		for _, bad := range []string{"    --network default", "install -y --set spec."} {
			if strings.Contains(script, "\n"+bad) || strings.Contains(script, "    "+bad) {
				t.Errorf("the script still runs %q", bad)
			}
		}
	})
}
