// Package engine speaks to the container engine through the docker command.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/meshproof/meshproof/framework/images/internal/run"
)

// ErrNoEngine is wrapped by errors that say that docker is missing or does not answer.
var ErrNoEngine = errors.New("no container engine")

// Docker runs the docker command; the zero value finds it on PATH.
type Docker struct{}

// Do runs docker with arguments and returns its standard output without surrounding space.
func (d Docker) Do(ctx context.Context, args ...string) (string, error) {
	return d.Feed(ctx, nil, args...)
}

// Feed is Do with an input.
func (Docker) Feed(ctx context.Context, in io.Reader, args ...string) (string, error) {
	out, err := run.Output(ctx, run.Cmd{Name: "docker", Args: args, Stdin: in})
	return strings.TrimSpace(string(out)), explain(err)
}

// Has says whether the engine holds the image.
func (d Docker) Has(ctx context.Context, ref string) (bool, error) {
	_, err := d.Do(ctx, "image", "inspect", "--format", "{{.Id}}", ref)
	var e *run.Error
	if errors.As(err, &e) && strings.Contains(strings.ToLower(e.Tail), "no such image") {
		return false, nil
	}
	return err == nil, err
}

// Label reads one label of an image; "" when the image has no such label.
func (d Docker) Label(ctx context.Context, ref, label string) (string, error) {
	return d.Do(ctx, "image", "inspect", "--format", fmt.Sprintf("{{index .Config.Labels %q}}", label), ref)
}

// Load feeds `docker load` with what write writes.
func (d Docker) Load(ctx context.Context, ref string, write func(io.Writer) error) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	_, err := d.Feed(ctx, r, "load", "--quiet")
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("load image %s into the container engine: %w", ref, err)
	}
	return nil
}

// RemoveContainers removes, by force, the containers that were started from this very image (not from one made of it)
// under a name with that prefix: what an interrupted build left.
func (d Docker) RemoveContainers(ctx context.Context, image, prefix string) error {
	list, err := d.Do(ctx, "ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.Image}}", "--filter", "name="+prefix)
	if err != nil {
		return err
	}
	names := leftOver(list, image, prefix)
	if len(names) == 0 {
		return nil
	}
	_, err = d.Do(ctx, append([]string{"rm", "--force", "--volumes"}, names...)...)
	return err
}

// leftOver reads lines of a container's name and image. The engine's own filters match parts of names, and images that
// were made from the image too, which running clusters are.
func leftOver(list, image, prefix string) []string {
	var out []string
	for line := range strings.Lines(list) {
		name, from, _ := strings.Cut(strings.TrimSpace(line), " ")
		if from == image && strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out
}

// explain adds what to do to errors that mean that there is no engine.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var e *run.Error
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: docker is not on PATH: run scripts/engine, or install docker: %w", ErrNoEngine, err)
	case errors.As(err, &e) && strings.Contains(e.Tail, "Cannot connect to the Docker daemon"):
		return fmt.Errorf("%w: docker's daemon does not answer: start it, or run scripts/engine: %w", ErrNoEngine, err)
	case errors.As(err, &e) && strings.Contains(e.Tail, "permission denied while trying to connect"):
		return fmt.Errorf("%w: this user may not use docker: add it to the group docker and log in again, or run as root: %w", ErrNoEngine, err)
	}
	return err
}

// Save hands read what `docker save` writes of some images: a tar.
func (Docker) Save(ctx context.Context, refs []string, read func(io.Reader) error) error {
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := read(r)
		r.CloseWithError(err)
		done <- err
	}()
	_, err := run.Output(ctx, run.Cmd{Name: "docker", Args: append([]string{"save"}, refs...), Stdout: w})
	w.CloseWithError(err)
	if readErr := <-done; err == nil || readErr != nil {
		err = readErr
	}
	if err != nil {
		return fmt.Errorf("save images %s from the container engine: %w", strings.Join(refs, ", "), explain(err))
	}
	return nil
}
