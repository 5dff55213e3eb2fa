package page

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asText turns Markdown into text as a browser would save it: no fences and no marks, code set in.
func asText(markdown string) string {
	var out []string
	fenced := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			fenced = !fenced
			continue
		case fenced:
			line = "    " + line
		default:
			line = regexp.MustCompile(`^#+ `).ReplaceAllString(line, "")
			line = strings.NewReplacer("**", "", "`", "", " {#set_up}", "", "- ", "  • ").Replace(line)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestAPageThatTheDataStandForHasNoDrift(t *testing.T) {
	ja, en := read(t, "guide-ja.txt"), read(t, "guide-en.md")
	for _, tc := range []struct{ name, text string }{
		{"the Japanese page", ja},
		{"English as Markdown", en},
		{"English as text", asText(en)},
		{"with Windows line ends", strings.ReplaceAll(ja, "\n", "\r\n")},
		{"with no-break spaces", strings.ReplaceAll(ja, "GKE on ", "GKE\u00a0on ")},
		{"with blanks at line ends", strings.ReplaceAll(ja, "\n", "  \n")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			drifts, err := Diff(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range drifts {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsNoPageOfTheGuideIsRefused(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", "none of the guide's commands"},
		{"another text", "# Cooking\n\nBoil the rice.\n\n    rinse --cold rice\n", "none of the guide's commands"},
		{"no text", "PK\x00\x03<html>", "this is no text"},
		{"HTML", "<!DOCTYPE html>\n<html><body><pre>kubectl config get-contexts</pre></body></html>", "this is HTML"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if drifts, err := Diff(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, error %v, want one that says %q", drifts, err, tc.want)
			}
		})
	}
}

// TestProseIsNoCommand puts sentences that begin like commands where a page may have them.
func TestProseIsNoCommand(t *testing.T) {
	en := read(t, "guide-en.md")
	const here = "## Expose the services\n"
	for _, prose := range []string{
		"kubectl is needed on your machine.",
		"The contexts are those that\nkubectl shows in its first\ncolumn.",
		"1. The contexts are those that\n   kubectl shows in its first\n   column.",
		"- asmcli, which needs\n  gcloud and\n  kubectl",
		"    > **Note** on asmcli",
		"| kubectl | 1.30 |\n|---|---|",
		"`kubectl config get-contexts` shows them.",
		"Where REVISION is\nthe label.",
	} {
		drifts, err := Diff(strings.Replace(en, here, here+"\n"+prose+"\n\n", 1))
		if err != nil || len(drifts) > 0 {
			t.Errorf("%q: %v, %v", prose, drifts, err)
		}
	}
}

// plain tells whether a line of the Japanese page is a command, an output or a name: it has no Japanese letters.
func plain(line string) bool {
	return strings.TrimSpace(line) != "" && !strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) })
}

// TestNoLineCanGoOrChangeUnseen takes each line that is no Japanese prose away, and then changes its last word. It knows
// nothing of how the page is read.
func TestNoLineCanGoOrChangeUnseen(t *testing.T) {
	want, err := expected()
	if err != nil {
		t.Fatal(err)
	}
	known, err := learn(want)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(read(t, "guide-ja.txt"), "\n")
	lastWord := regexp.MustCompile(`[A-Za-z0-9.]+([^A-Za-z0-9.]*)$`)
	for i, line := range lines {
		if !plain(line) {
			continue
		}
		for what, now := range map[string][]string{
			"taken away": nil,
			"changed":    {lastWord.ReplaceAllString(line, "changed$1")},
			"doubled":    {line, line},
		} {
			if len(now) == 1 && now[0] == line {
				t.Fatalf("line %d has no word to change: %q", i+1, line)
			}
			text := strings.Join(append(append(append([]string{}, lines[:i]...), now...), lines[i+1:]...), "\n")
			drifts, err := known.diff(want, text)
			if err != nil || len(drifts) == 0 {
				t.Errorf("line %d %s, and no drift was found (%v): %q", i+1, what, err, line)
			}
			for _, d := range drifts {
				if d.Line < 1 || d.Line > strings.Count(text, "\n")+1 {
					t.Errorf("line %d %s: the drift is on a line that is not there: %v", i+1, what, d)
				}
			}
		}
	}
}
