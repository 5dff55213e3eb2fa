package kindcluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func TestLookReady(t *testing.T) {
	node := func(status corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue},
			{Type: corev1.NodeReady, Status: status, Reason: "KubeletNotReady", Message: "cni plugin not initialized"}}}}
	}
	proxy := func(status corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "kube-proxy-x", Namespace: "kube-system", Labels: map[string]string{"k8s-app": "kube-proxy"}},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}}}
	}
	for name, c := range map[string]struct {
		objects []runtime.Object
		state   string
		ready   bool
	}{
		"no node":         {nil, "no node", false},
		"no condition":    {[]runtime.Object{&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}}, "no Ready condition", false},
		"node not ready":  {[]runtime.Object{node(corev1.ConditionFalse), proxy(corev1.ConditionTrue)}, "cni plugin not initialized", false},
		"no proxy":        {[]runtime.Object{node(corev1.ConditionTrue)}, "none of 0", false},
		"proxy not ready": {[]runtime.Object{node(corev1.ConditionTrue), proxy(corev1.ConditionFalse)}, "none of 1", false},
		"ready":           {[]runtime.Object{node(corev1.ConditionTrue), proxy(corev1.ConditionTrue)}, "ready", true},
	} {
		t.Run(name, func(t *testing.T) {
			state, err := lookReady(t.Context(), fake.NewClientset(c.objects...), "n")
			if (err == nil) != c.ready || !strings.Contains(state, c.state) {
				t.Errorf("got %q, %v", state, err)
			}
		})
	}
}
