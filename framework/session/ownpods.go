package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/images"
	"github.com/meshproof/meshproof/framework/poll"
)

// Exit codes of a pod of the suite's own whose image is not this version's: of a probe that knows what it is made from, and of an older
// one, which does not know the flag that asks it.
const (
	misfitCode = 3
	olderCode  = 2
)

// ownPodsRun waits until the programs of the suite's own pods run: what does not is the suite's trouble or its image's, and must not be
// taken for the mesh's. A pod that is of another version's image has ended, and does so whenever it is started: it never looks at the mesh.
func (s *Session) ownPodsRun(ctx context.Context, c *cluster.Cluster) error {
	w := poll.Wait{What: "the suite's own pods run", Where: "cluster " + c.Name, Limit: s.limits.Step}
	return poll.Until(ctx, w, ownPods(c))
}

// ownPods looks for the suite's own pods, with their programs up.
func ownPods(c *cluster.Cluster) poll.Try {
	return func(ctx context.Context) (string, error) {
		for _, namespace := range ownNamespaces() {
			pods, err := c.Pods(ctx, namespace, "")
			if err != nil {
				return "", err
			}
			if err := misfitAmong(pods); err != nil {
				return "", poll.Final(err)
			}
			if len(pods) == 0 {
				return "there is no pod in namespace " + namespace, errors.New("they do not run")
			}
			for _, p := range pods {
				if !ownReady(p) {
					return fmt.Sprintf("pod %s/%s: %s", namespace, p.Name, whyNot(p)), errors.New("they do not run")
				}
			}
		}
		return "", nil
	}
}

// ownReady tells whether the suite's own program in a pod runs; what a mesh puts beside it does not count.
func ownReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name != "istio-proxy" && s.Ready })
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
		if ended == nil {
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
			"push it with this program (meshproof images push HOST/PREFIX), and name it with --probe-image HOST/PREFIX/meshproof/probe, without a tag "+
			"(on kind: --registry HOST/PREFIX)",
			p.Namespace, p.Name, s.Image, s.ImageID, said, images.ProbeMadeFrom())
	}
	return nil
}
