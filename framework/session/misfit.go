package session

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/images"
)

// Exit codes of a pod of the suite's own whose image is not this version's: of a probe that knows what it is made from, and of an older
// one, which does not know the flag that asks it.
const (
	misfitCode = 3
	olderCode  = 2
)

// misfits tells of a pod of the suite's own on a cluster that is of another version's image. Such a pod has ended, and does so whenever
// it is started: it never looks at the mesh. One that has not started yet is not waited for.
func misfits(ctx context.Context, c *cluster.Cluster) error {
	for _, namespace := range []string{fixtures.ProbeNamespace, evidence.SecondNamespace} {
		pods, err := c.Pods(ctx, namespace, "")
		if err == nil {
			err = misfitAmong(pods)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func misfitAmong(pods []corev1.Pod) error {
	for _, p := range pods {
		if err := misfit(p); err != nil {
			return err
		}
	}
	return nil
}

// misfit says what is wrong with the image of a pod of the suite's own, where it is not this version's: what was found, what is needed,
// where it came from, and what to do.
func misfit(p corev1.Pod) error {
	for _, s := range p.Status.ContainerStatuses {
		ended := s.State.Terminated
		if ended == nil {
			ended = s.LastTerminationState.Terminated
		}
		if ended == nil || s.State.Running != nil {
			continue
		}
		said := oneLine(strings.TrimSpace(ended.Message))
		older := ended.ExitCode == olderCode && strings.Contains(said, `no command "--made-from"`)
		if !older && (ended.ExitCode != misfitCode || !strings.HasPrefix(said, "probe: it is made from ")) {
			continue
		}
		if older {
			said = "the program in it is older, and does not say what it is made from"
		}
		return fmt.Errorf("pod %s/%s: image %s (%s) is of another version of meshproof: %s: this one needs a probe made from %s: "+
			"push it with this program (meshproof images push HOST/PREFIX), and give --probe-image HOST/PREFIX/meshproof/probe without a tag",
			p.Namespace, p.Name, s.Image, s.ImageID, said, images.ProbeMadeFrom())
	}
	return nil
}
