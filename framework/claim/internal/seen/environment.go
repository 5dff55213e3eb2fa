package seen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Objects is what collection calls the API objects in a Problem.
const Objects = "API objects"

// Unreachable gives, in one sentence, which cluster's API server did not answer in that epoch; "" when all that were asked
// did. A server of which some lists could be read did answer.
func Unreachable(run evidence.Run, epoch, cluster string) (sentence, file string) {
	c := run.Cluster(epoch, cluster)
	if c == nil || c.Kubernetes != nil && (c.Kubernetes.Version != "" || len(c.Kubernetes.Namespaces) > 0) {
		return "", ""
	}
	for _, p := range c.Problems {
		if p.What == Objects && noAnswer(p.Error) {
			return fmt.Sprintf("the API server of cluster %s did not answer: %s", cluster, p.Error), evidence.FileOfProblems(epoch, cluster)
		}
	}
	return "", ""
}

func noAnswer(text string) bool {
	return containsAny(text, "connection refused", "i/o timeout", "no route to host", "TLS handshake timeout", "context deadline exceeded",
		"connection reset", "network is unreachable", "EOF", "no such host")
}

// UnreachableStep gives the same for a failed step: whose API server was found silent after it.
func UnreachableStep(s evidence.Step) string {
	var silent []string
	for name, answered := range s.Reachable {
		if !answered {
			silent = append(silent, name)
		}
	}
	slices.Sort(silent)
	if len(silent) == 0 {
		return ""
	}
	return fmt.Sprintf("the API server of cluster %s did not answer after step %s", strings.Join(silent, " and "), s.ID)
}

// Unpullable gives, in one sentence, which image a pod of the mesh or the sample waits for in vain; "" when none does. Istio's
// CNI plugin is part of the mesh: on a node without it no pod gets a network. What else their namespaces hold breaks no claim. The
// image "auto" is no image: its pod was not injected.
func Unpullable(k *evidence.Kubernetes, sample, cluster string) string {
	for _, p := range slices.Concat(IstiodPods(k), CNIPods(k), GatewayPods(k), AppPods(k, sample, evidence.RoleHelloworld), AppPods(k, sample, evidence.RoleSleep)) {
		for _, c := range p.Containers {
			if c.Image != AutoImage && pullFailed(c.Waiting) {
				return fmt.Sprintf("image %s of pod %s/%s on cluster %s cannot be pulled: %s", c.Image, p.Namespace, p.Name, cluster, c.Waiting)
			}
		}
	}
	return ""
}

func pullFailed(text string) bool {
	return containsAny(text, "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "RegistryUnavailable", "Failed to pull image", "InvalidImageName")
}

// PoolEmpty gives, in one sentence, which service of the gateway the load balancer has no address left for; "" when there is
// none. Only a service that has no address yet counts: events outlive their reason.
func PoolEmpty(k *evidence.Kubernetes, cluster string) string {
	for _, s := range k.GatewayServices() {
		if s.Type != "LoadBalancer" || len(s.Addresses) > 0 {
			continue
		}
		for _, e := range k.Events {
			if e.Namespace == s.Namespace && e.Object == "Service/"+s.Name && poolEmpty(e.Reason+" "+e.Message) {
				return fmt.Sprintf("the load balancer of cluster %s has no address left for service %s/%s: %s", cluster, s.Namespace, s.Name, e.Message)
			}
		}
	}
	return ""
}

func poolEmpty(text string) bool {
	return containsAny(text, "AllocationFailed", "no available IPs", "EXTERNAL-IP <pending>")
}

func said(s evidence.Step) string { return s.Error + "\n" + s.Stderr + "\n" + s.Stdout }

// UnpullableStep tells the same of what a failed step said.
func UnpullableStep(s evidence.Step) string {
	if s.Error == "" || !pullFailed(said(s)) || autoImage(said(s)) {
		return ""
	}
	return fmt.Sprintf("step %s waited for an image that cannot be pulled", s.ID)
}

// PoolEmptyStep tells whether a failed step waited in vain for an address of the load balancer.
func PoolEmptyStep(s evidence.Step) string {
	if s.Error == "" || !poolEmpty(said(s)) {
		return ""
	}
	return fmt.Sprintf("step %s waited for an address, and the load balancer gave none", s.ID)
}

// Environment gives, in one sentence, what around the mesh made a step fail; "" when nothing in the evidence says so. It
// looks at who answered after the step, at what the step said, and at the cluster's pods and services.
func Environment(run evidence.Run, s evidence.Step) string {
	if silent := UnreachableStep(s); silent != "" {
		return silent
	}
	if why := UnpullableStep(s); why != "" {
		return why
	}
	if why := PoolEmptyStep(s); why != "" {
		return why
	}
	if strings.Contains(s.Error, evidence.InTheWay) {
		return "its command was not run"
	}
	for _, c := range run.Intent.Clusters {
		if s.Cluster != "" && s.Cluster != c.Name {
			continue
		}
		seen := run.Cluster(evidence.Joined, c.Name)
		if seen == nil {
			continue
		}
		if why := Unpullable(seen.Kubernetes, run.Intent.Namespace(), c.Name); why != "" {
			return why
		}
		if why := PoolEmpty(seen.Kubernetes, c.Name); why != "" {
			return why
		}
	}
	return ""
}

// NotInjected tells whether a failed step complained about the gateway's unreplaced image "auto".
func NotInjected(s evidence.Step) bool {
	return s.Error != "" && pullFailed(said(s)) && autoImage(said(s))
}

// autoImage tells whether the image that a text complains about is the gateway's unreplaced "auto".
func autoImage(text string) bool {
	return containsAny(text, `image "auto"`, "library/auto:", "image auto ", `"docker.io/library/auto`)
}

func containsAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// TimedOut tells whether a connection's error says that nothing answered at all.
func TimedOut(text string) bool {
	return containsAny(text, "i/o timeout", "deadline exceeded", "timed out")
}
