package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

// voice is through which main speaks while a command runs: the display, where there is one, so that nothing is drawn over.
type voice struct {
	mu  sync.Mutex
	say func(text string)
}

type voiceKey struct{}

func (v *voice) speak(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.say != nil {
		v.say(text)
		return
	}
	fmt.Fprintln(progress.Guarded(os.Stderr), "\n"+text)
}

func (v *voice) through(say func(string)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.say = say
}

// withVoice gives main's voice to the commands.
func withVoice(ctx context.Context, v *voice) context.Context {
	return context.WithValue(ctx, voiceKey{}, v)
}

// shown does a command's work while a display shows it. The work may close the display, and print.
func shown(ctx context.Context, o progress.Options, work func(*progress.Teller) error) error {
	o.Err = cmp.Or(o.Err, os.Stderr)
	t := progress.Open(o)
	defer t.Close()
	if v, is := ctx.Value(voiceKey{}).(*voice); is && (o.JSON || !o.Quiet) {
		v.through(t.Note)
		defer v.through(nil)
	}
	return work(t)
}

// begin makes a session and tells of it.
func begin(t *progress.Teller, o session.Options) (*session.Session, error) {
	o.Tell = t
	s, err := session.New(o)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range s.Clusters() {
		names = append(names, c.Name)
	}
	if len(names) == 0 { // it makes its own
		for _, c := range s.Intent().Clusters {
			names = append(names, c.Name)
		}
	}
	t.Begin(s.Options().RunID, names)
	return s, nil
}
