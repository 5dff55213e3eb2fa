package cause

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

func notInjected(s sight) (string, []string) {
	if step, there := s.dead(); there && seen.NotInjected(step) {
		return stepFile(fmt.Sprintf("the gateway's pod kept the image %q: no control plane of the revision injected it", seen.AutoImage))
	}
	return around(s, func(k *evidence.Kubernetes, cluster string) string {
		for _, p := range slices.Concat(seen.GatewayPods(k), seen.AppPods(k, s.sample(), evidence.RoleHelloworld), seen.AppPods(k, s.sample(), evidence.RoleSleep)) {
			c, there := seen.Sidecar(p)
			if !there {
				return fmt.Sprintf("pod %s/%s on cluster %s has no sidecar", p.Namespace, p.Name, cluster)
			}
			if c.Image == seen.AutoImage {
				return fmt.Sprintf("pod %s/%s on cluster %s kept the image %q: no control plane of its revision injected it", p.Namespace, p.Name, cluster, c.Image)
			}
		}
		return ""
	})
}

func serviceMissing(s sight) (string, []string) {
	return around(s, func(k *evidence.Kubernetes, cluster string) string {
		if k == nil || len(k.Services) == 0 || s.unlisted(cluster, readServices) || seen.HasService(k, s.sample(), evidence.RoleHelloworld) {
			return ""
		}
		return fmt.Sprintf("cluster %s has no service helloworld in namespace %s", cluster, s.sample())
	})
}

// networksOf are the names that a cluster's network has: on the control plane's namespace and in the gateway.
func networksOf(k *evidence.Kubernetes) []string {
	name, _ := seen.Network(k)
	all := []string{name}
	for _, p := range seen.GatewayPods(k) {
		all = append(all, p.Env["ISTIO_META_NETWORK"])
	}
	return all
}

func sameNetwork(s sight) (string, []string) {
	owner := map[string]string{}
	for _, c := range s.ordered() {
		for _, network := range networksOf(s.objects(c.Name)) {
			other, taken := owner[network]
			if network != "" && taken && other != c.Name {
				return fmt.Sprintf("clusters %s and %s are both on network %q, so istiod hands out raw pod addresses and no gateway is used", other, c.Name, network),
					[]string{evidence.FileOfKubernetes(s.epoch, other), evidence.FileOfKubernetes(s.epoch, c.Name)}
			}
			owner[network] = c.Name
		}
	}
	return "", nil
}

// otherInjector is shown by what the injector wrote on the pods.
func otherInjector(s sight) (string, []string) {
	return around(s, func(k *evidence.Kubernetes, cluster string) string {
		for _, p := range slices.Concat(seen.GatewayPods(k), seen.AppPods(k, s.sample(), evidence.RoleHelloworld), seen.AppPods(k, s.sample(), evidence.RoleSleep)) {
			_, injected := seen.Sidecar(p)
			if got := seen.Revision(p); injected && got != "" && got != s.run.Intent.Revision {
				return fmt.Sprintf("pod %s/%s on cluster %s was injected by revision %q, not %q", p.Namespace, p.Name, cluster, got, s.run.Intent.Revision)
			}
		}
		return ""
	})
}

func twoRevisions(s sight) (string, []string) {
	of := map[string]string{} // a cluster of each revision
	var revisions, files []string
	for _, c := range s.all() {
		for _, p := range seen.IstiodPods(s.objects(c.Name)) {
			revision := p.Labels[seen.RevisionKey]
			if _, again := of[revision]; again {
				continue
			}
			of[revision] = c.Name
			revisions = append(revisions, fmt.Sprintf("%q on cluster %s", revision, c.Name))
			files = append(files, evidence.FileOfKubernetes(s.epoch, c.Name))
		}
	}
	if len(revisions) < 2 {
		return "", nil
	}
	return "control planes of several revisions run: " + strings.Join(revisions, ", "), files
}

// wrongVersion is shown by the pods' labels: the versions of helloworld tell the clusters apart.
func wrongVersion(s sight) (string, []string) {
	for _, c := range s.all() {
		for _, p := range seen.AppPods(s.objects(c.Name), s.sample(), evidence.RoleHelloworld) {
			if got := p.Labels["version"]; got != c.Version {
				return fmt.Sprintf("pod %s/%s on cluster %s is version %q of helloworld, but %s is to run %s alone", p.Namespace, p.Name, c.Name, got, c.Name, c.Version),
					[]string{evidence.FileOfKubernetes(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}
