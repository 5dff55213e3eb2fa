package poll

import "context"

// Look is what one try saw that did not end the wait.
type Look struct {
	// State and Err are what the try returned; Err is never nil.
	State string
	Err   error
}

// Observer is told of every such try of a wait, and with nil that the wait has ended. Several waits may go on at once.
type Observer func(Wait, *Look)

type observerKey struct{}

// Observe has all waits below ctx tell the observer, so that a person can see what is being waited for.
func Observe(ctx context.Context, o Observer) context.Context {
	return context.WithValue(ctx, observerKey{}, o)
}

func observer(ctx context.Context) Observer {
	if o, is := ctx.Value(observerKey{}).(Observer); is {
		return o
	}
	return func(Wait, *Look) {}
}
