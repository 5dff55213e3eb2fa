package cause

import (
	"testing"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/claim/internal/example"
	"github.com/meshproof/meshproof/framework/evidence"
)

// TestTheCNIPluginIsPartOfTheMesh: without it no pod of the mesh or the sample gets a network. Some platforms want it in kube-system.
func TestTheCNIPluginIsPartOfTheMesh(t *testing.T) {
	for _, namespace := range []string{"istio-system", "kube-system"} {
		for terminating, want := range map[bool]claim.Verdict{false: claim.Inconclusive, true: claim.Failed} {
			run := example.Healthy()
			sleep := example.Pod(run, west, example.SleepPod)
			sleep.Phase = "Pending"
			for i := range sleep.Containers {
				sleep.Containers[i].Ready, sleep.Containers[i].Waiting = false, "ContainerCreating"
			}
			k := example.Cluster(run, west).Kubernetes
			k.Pods = append(k.Pods, evidence.Pod{Object: evidence.Object{Namespace: namespace, Name: "istio-cni-node-1", Terminating: terminating,
				Labels: map[string]string{"k8s-app": "istio-cni-node"}}, Phase: "Pending",
				Containers: []evidence.Container{{Name: "install-cni", Image: "istio/install-cni:1.31", Waiting: "ImagePullBackOff"}}})
			f := finding(t, Apply(run, claim.Judge(run)), "sidecars", west)
			if named := f.Cause != nil && f.Cause.ID == "image-not-pullable"; f.Verdict != want || named == terminating {
				t.Errorf("%s, terminating %t: %s, want %s: %s, %+v", namespace, terminating, f.Verdict, want, f.Reason, f.Cause)
			}
		}
	}
}
