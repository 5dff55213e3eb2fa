package seen

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// LastSetupStep is the number of the guide's last step before the calls.
const LastSetupStep = 13

var guideStep = regexp.MustCompile(`^S([0-9]+)(\.|$)`)

// SetupStep gives a step's number in the guide, and whether it is one of S1 to S13.
func SetupStep(s evidence.Step) (int, bool) {
	m := guideStep.FindStringSubmatch(s.ID)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil && n >= 1 && n <= LastSetupStep
}

// FirstFailed gives the step of set-up (the guide's, and the harness's own before and between them) that failed first by
// itself: one that was only ended because another had failed, or because the run was interrupted, comes second. A printed
// command that fails as the guide's log says is none: it was corrected, and is a finding about the guide.
func FirstFailed(all []evidence.Step) (evidence.Step, bool) {
	failed := func(s evidence.Step) bool {
		_, guided := SetupStep(s)
		return s.Error != "" && s.Finding == "" && (guided || strings.HasPrefix(s.ID, "P"))
	}
	at := slices.IndexFunc(all, func(s evidence.Step) bool { return failed(s) && !Cancelled(s) })
	if at < 0 {
		at = slices.IndexFunc(all, failed)
	}
	if at < 0 {
		return evidence.Step{}, false
	}
	return all[at], true
}

// Cancelled tells whether a step was ended from outside.
func Cancelled(s evidence.Step) bool {
	return containsAny(s.Error, "context canceled", "interrupt", "(--timeout)")
}
