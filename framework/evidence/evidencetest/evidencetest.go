// Package evidencetest is for tests: it gives evidence as it would be of a run with the guide's sample in another namespace.
package evidencetest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// Elsewhere is the other namespace. It is no word of any evidence, and stands in lists where the guide's own does.
const Elsewhere = "sketch"

var guideWord = regexp.MustCompile(`\b` + intent.GuideNamespace + `\b`)

// Back gives a text about such a run as it would be of the guide's own namespace.
func Back(text []byte) string {
	return strings.ReplaceAll(string(text), Elsewhere, intent.GuideNamespace)
}

// Moved gives the evidence of a folder with the sample in the other namespace: its name is replaced in every file, in the
// files' names and in the intent, and the whole is sealed anew.
func Moved(t *testing.T, dir string) evidence.Run {
	t.Helper()
	whole := load(t, dir)
	to, err := evidence.Create(filepath.Join(t.TempDir(), "evidence"))
	must(t, err)
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil || d.IsDir() || name == evidence.SumsFile || name == evidence.IntentFile {
			return errors.Join(err, relErr)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		moved := filepath.Join(to.Dir(), guideWord.ReplaceAllString(name, Elsewhere)) // not through the folder, which waits for the disk
		return errors.Join(os.MkdirAll(filepath.Dir(moved), 0o755), os.WriteFile(moved, guideWord.ReplaceAll(text, []byte(Elsewhere)), 0o644))
	}))
	must(t, to.SaveIntent(whole.Intent.InNamespace(Elsewhere)))
	must(t, to.Seal())
	return load(t, to.Dir())
}

// Saved gives a run as it is read back from a folder, and the folder.
func Saved(t *testing.T, run evidence.Run) (evidence.Run, string) {
	t.Helper()
	to, err := evidence.Create(filepath.Join(t.TempDir(), "evidence"))
	must(t, err)
	must(t, errors.Join(to.SaveIntent(run.Intent), to.SaveSteps(run.Steps)))
	for epoch, e := range run.Epochs {
		for name, c := range e.Clusters {
			must(t, to.SaveCluster(epoch, name, c))
		}
	}
	must(t, to.Seal())
	return load(t, to.Dir()), to.Dir()
}

func load(t *testing.T, dir string) evidence.Run {
	t.Helper()
	run, err := evidence.Load(dir)
	must(t, err)
	return run
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
