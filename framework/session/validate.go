package session

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/guide"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/stats"
)

// validate refuses what cannot be, all of it at once.
func (o Options) validate() error {
	var errs []error
	if !slices.Contains([]Keep{KeepNever, KeepOnFailure, KeepAlways}, o.Keep) {
		errs = append(errs, fmt.Errorf("--keep %q: use never, on-failure or always", o.Keep))
	}
	errs = append(errs, o.checkSurroundings(), o.checkChanges(), o.checkPower(), o.checkClusters(), o.checkMultiplier())
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("--timeout %s: use a positive duration", o.Timeout))
	}
	if len(o.Targets) > 0 && !runIDForm.MatchString(o.RunID) { // on kind the intent says so, below
		errs = append(errs, fmt.Errorf("run id %q: use at most 32 lower-case letters, digits and '-'", o.RunID))
	}
	for _, t := range o.Targets {
		if t.Revision != "" && t.Revision != o.Revision {
			errs = append(errs, fmt.Errorf("--revision %s: the topology says revision %s: give one of them, or both the same", o.Revision, t.Revision))
			break
		}
	}
	if _, err := os.Stat(o.ReportDir); err == nil {
		errs = append(errs, fmt.Errorf("report directory %s exists already: choose another --report-dir or --run-id", o.ReportDir))
	}
	if _, err := os.Stat(o.dir()); err == nil {
		errs = append(errs, fmt.Errorf("a run named %s is there already (%s): choose another --run-id, or remove it with: meshproof down %s", o.RunID, o.dir(), o.RunID))
	}
	if err := o.kindIntent().Validate(); err != nil && len(o.Targets) == 0 {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &UsageError{err}
	}
	return nil
}

// checkSurroundings refuses what cannot be of what a run works with: clusters, tools, images, and where it begins.
func (o Options) checkSurroundings() error {
	errs := []error{Count(o.Targets)}
	if o.Images.Source != "" && !slices.Contains(images.Sources(), o.Images.Source) {
		errs = append(errs, fmt.Errorf("--images %q: use auto, registry, source or archive", o.Images.Source))
	}
	errs = append(errs, o.checkMode(), o.checkCell(), o.checkTools(), o.Place.check(), o.Check(len(o.Targets) > 0, o.Disruptive, o.Mode), o.checkInstall(), CheckNamespace(o.Namespace, o.Mode), o.checkStateDir())
	return errors.Join(errs...)
}

// checkStateDir refuses a place for the run's files that would be found to be of no use only when images were built or clusters changed.
func (o Options) checkStateDir() error {
	o, err := o.placed()
	if err != nil {
		return err
	}
	const remedy = "set XDG_STATE_HOME to a directory with a path of letters, digits and - _ . only"
	if len(o.Targets) == 0 && strings.Contains(o.StateDir, ":") {
		return fmt.Errorf("state directory %s: docker takes ':' in the path of a folder for a separator: %s", o.StateDir, remedy)
	}
	if o.ReleaseDir != "" || o.ReadOnly {
		return nil
	}
	if err := release.Unquoted(o.StateDir); err != nil {
		return fmt.Errorf("state directory %s: the release directory is put together there, and %w: %s, or give a release directory with --release-dir", o.StateDir, err, remedy)
	}
	return nil
}

// CheckLook is what of a run's checks of its options a look before it can do.
func (o Options) CheckLook() error {
	if err := o.checkSurroundings(); err != nil {
		return &UsageError{err}
	}
	return nil
}

// checkChanges refuses what is to be done to a mesh on purpose where it is not allowed, or cannot be.
func (o Options) checkChanges() error {
	var errs []error
	for _, p := range o.Plant {
		if p != DifferentRoots {
			errs = append(errs, fmt.Errorf("--plant %q: use %s", p, DifferentRoots))
		}
	}
	if len(o.Plant) > 0 && len(o.Targets) > 0 {
		errs = append(errs, errors.New("--plant changes a mesh on purpose: it is for kind clusters that the run makes, not for given ones: leave it out"))
	}
	for _, id := range o.Disruptions {
		if known := slices.Concat(claim.Disruptions(), claim.Injections()); !slices.Contains(known, id) {
			errs = append(errs, fmt.Errorf("--disruption %q: there are: %s: use some of these", id, strings.Join(known, ", ")))
		}
	}
	if len(o.Disruptions) > 0 && !o.Disruptive {
		errs = append(errs, errors.New("--disruption changes the mesh, which --disruptive allows (on given clusters it must be said): give --disruptive, or leave --disruption out"))
	}
	if len(o.Targets) > 0 {
		for _, id := range o.Disruptions {
			if kindOnly(id) {
				errs = append(errs, fmt.Errorf("--disruption %s is for kind clusters that the run makes: it needs what only such a run has made: leave it out", id))
			}
		}
	}
	return errors.Join(errs...)
}

// checkPower refuses samples that can show nothing.
func (o Options) checkPower() error {
	var errs []error
	if o.Alpha > 0 && o.Alpha < 1 && o.Samples >= intent.MinSamples && o.Samples < stats.Fewest(o.Share(), o.Alpha) {
		errs = append(errs, fmt.Errorf("--samples %d: at --alpha %g not even the most one-sided result can be told from chance: use at least %d",
			o.Samples, o.Alpha, stats.Fewest(o.Share(), o.Alpha)))
	}
	if len(o.Targets) > 0 { // what a run on kind clusters expects is checked as a whole below
		errs = append(errs, o.checkCalls())
	}
	return errors.Join(errs...)
}

// checkCalls refuses numbers with which nothing can be measured.
func (o Options) checkCalls() error {
	if o.Samples < intent.MinSamples {
		return fmt.Errorf("--samples %d: use at least %d", o.Samples, intent.MinSamples)
	}
	if !(o.Alpha > 0 && o.Alpha <= intent.MaxAlpha) {
		return fmt.Errorf("--alpha %g: use a rate above 0 and at most %g", o.Alpha, intent.MaxAlpha)
	}
	return nil
}

// checkClusters refuses numbers of clusters that a run cannot make, or that what it is asked to do is not about.
func (o Options) checkClusters() error {
	switch n := o.clusters(); {
	case o.Clusters != 0 && len(o.Targets) > 0:
		return fmt.Errorf("--clusters %d: it is how many kind clusters are made, and %d clusters are given: leave it out", o.Clusters, len(o.Targets))
	case o.Clusters != 0 && (o.Clusters < guide.Clusters || o.Clusters > maxClusters):
		return fmt.Errorf("--clusters %d: use %d to %d", o.Clusters, guide.Clusters, maxClusters)
	case o.Disruptive && n > guide.Clusters:
		return fmt.Errorf("--disruptive with %d clusters: what is done to the mesh on purpose is declared for %d: leave it out, or use %d", n, guide.Clusters, guide.Clusters)
	case o.InTurn && n == guide.Clusters:
		return fmt.Errorf("--join-in-turn with %d clusters: there is none to add: give more", n)
	}
	return nil
}

// checkCell refuses a combination of platform and CA that the guide does not offer.
func (o Options) checkCell() error {
	if o.Platform == "" && o.CA == "" || len(o.Targets) > 0 { // the targets have been checked
		return nil
	}
	m, err := guide.LoadMatrix()
	if err != nil {
		return err
	}
	if o.Platform != "" && o.Platform != onKind {
		_, err = m.Cell(o.Platform, cmp.Or(o.CA, intent.IstioCA))
		return err
	}
	_, err = guide.Words(onKind, cmp.Or(o.CA, intent.IstioCA))
	return err
}

// checkMode refuses expectations that nothing can meet.
func (o Options) checkMode() error {
	if o.Mode == intent.Literal && o.Disruptive {
		return errors.New("--disruptive with --mode literal: the mesh of the printed text does not conform, and what it must deny shows nothing: leave one of them out")
	}
	if len(o.Expect) > 0 && len(o.LeftOut) > 0 {
		return errors.New("--expect is about all that the guide's printed text gives: leave out what leaves claims out (--focus, --skip, --label-filter, --rerun-failed)")
	}
	for _, id := range o.Expect {
		if o.Mode != intent.Literal {
			return fmt.Errorf("--expect %s: only a run with --mode literal finds anything about the guide: give --mode literal, or leave --expect out", id)
		}
		if !slices.Contains(claim.Findings(), id) {
			return fmt.Errorf("--expect %s: there is no such finding: use some of %s", id, strings.Join(claim.Findings(), ", "))
		}
	}
	return nil
}

var runIDForm = regexp.MustCompile(`^[a-z0-9][-a-z0-9]{0,31}$`)
