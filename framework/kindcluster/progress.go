package kindcluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"sigs.k8s.io/kind/pkg/exec"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/meshproof/meshproof/framework/packed"
)

// phaseLogger is kind's logger: it turns kind's status lines into phases with their times. kind writes " • Starting
// control-plane 🕹️  ..." when a phase begins and " ✓ Starting control-plane 🕹️" when it ends.
type phaseLogger struct {
	tell func(message string)

	mu    sync.Mutex
	done  []Phase
	what  string
	since time.Time
}

func newPhaseLogger(tell func(string)) *phaseLogger { return &phaseLogger{tell: tell} }

func (l *phaseLogger) start(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
	l.what, l.since = what, time.Now()
	l.tell(what)
}

func (l *phaseLogger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finish()
}

func (l *phaseLogger) finish() {
	if l.what != "" {
		l.done = append(l.done, Phase{What: l.what, Took: time.Since(l.since)})
		l.what = ""
	}
}

func (l *phaseLogger) phases() []Phase {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Phase(nil), l.done...)
}

// Info takes kind's status lines.
func (l *phaseLogger) Info(message string) {
	message = strings.TrimSpace(message)
	if what, ok := strings.CutPrefix(message, "•"); ok {
		l.start(plain(strings.TrimSuffix(what, "...")))
	} else if strings.HasPrefix(message, "✓") || strings.HasPrefix(message, "✗") {
		l.end()
	}
}

// plain leaves the pictures out of a status line.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r > unicode.MaxLatin1 {
			return -1
		}
		return r
	}, s)
	return strings.ToLower(strings.TrimSpace(s))
}

// Infof, V, Enabled, Warn, Warnf, Error and Errorf complete log.Logger. kind's warnings are about its own experimental
// settings, and its errors are returned too.
func (l *phaseLogger) Infof(format string, args ...any) { l.Info(fmt.Sprintf(format, args...)) }

// V gives this logger for kind's status lines, and one that drops everything for what is more detailed.
func (l *phaseLogger) V(level log.Level) log.InfoLogger {
	if level > 0 {
		return log.NoopInfoLogger{}
	}
	return l
}

// Enabled is always true.
func (l *phaseLogger) Enabled() bool { return true }

// Warn drops a warning.
func (l *phaseLogger) Warn(string) {}

// Warnf drops a warning.
func (l *phaseLogger) Warnf(string, ...any) {}

// Error drops a message that is returned as an error too.
func (l *phaseLogger) Error(string) {}

// Errorf drops a message that is returned as an error too.
func (l *phaseLogger) Errorf(string, ...any) {}

// kindError adds to an error of kind's what the command that failed had printed: its reason to the message, all of
// it to a file in the cluster's diagnostics.
func (m *maker) kindError(name string, err error) error {
	var run *exec.RunError
	if err == nil || !errors.As(err, &run) || len(run.Output) == 0 {
		return err
	}
	file := filepath.Join(m.diagnostics(name), "kind-command.log")
	return errors.Join(fmt.Errorf("%w: it said: %s", err, lastLine(run.Output)), packed.Tail(file, run.Output))
}

// lastLine gives the last line that begins with "error", as kubeadm's reason does, which a stack follows; without one,
// the last line.
func lastLine(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	for _, line := range slices.Backward(lines) {
		if strings.HasPrefix(strings.ToLower(line), "error") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
