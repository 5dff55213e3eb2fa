package cause

import (
	"fmt"
	"slices"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// stepFile gives the sentence with the file of the steps, or nothing when there is no sentence.
func stepFile(sentence string) (string, []string) {
	if sentence == "" {
		return "", nil
	}
	return sentence, []string{evidence.StepsFile}
}

// dead gives the step that ended the run before the finding's evidence could be taken, and whether there is one. Findings of
// set-up that are about steps always look there.
func (s sight) dead() (evidence.Step, bool) {
	if len(s.run.Epochs[s.epoch].Clusters) > 0 && s.claim != "procedure" {
		return evidence.Step{}, false
	}
	if step, failed := seen.FirstFailed(s.run.Steps); failed || s.claim == "procedure" {
		return step, failed
	}
	at := slices.IndexFunc(s.run.Steps, func(step evidence.Step) bool { return step.Error != "" })
	if at < 0 {
		return evidence.Step{}, false
	}
	return s.run.Steps[at], true
}

func unreachable(s sight) (string, []string) {
	if step, there := s.dead(); there {
		return stepFile(seen.UnreachableStep(step))
	}
	for _, c := range s.all() {
		if sentence, file := seen.Unreachable(s.run, s.epoch, c.Name); sentence != "" {
			return sentence, []string{file}
		}
	}
	return "", nil
}

// around gives what one check of the environment says of the clusters that can have broken the claim.
func around(s sight, check func(*evidence.Kubernetes, string) string) (string, []string) {
	for _, c := range s.near() {
		if sentence := check(s.objects(c.Name), c.Name); sentence != "" {
			return sentence, []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
		}
	}
	return "", nil
}

func unpullable(s sight) (string, []string) {
	if step, there := s.dead(); there {
		if sentence := seen.UnpullableStep(step); sentence != "" {
			return stepFile(sentence)
		}
	}
	return around(s, seen.Unpullable)
}

func poolEmpty(s sight) (string, []string) {
	if step, there := s.dead(); there {
		if sentence := seen.PoolEmptyStep(step); sentence != "" {
			return stepFile(sentence)
		}
	}
	return around(s, seen.PoolEmpty)
}

func notInjected(s sight) (string, []string) {
	if step, there := s.dead(); there && seen.NotInjected(step) {
		return stepFile(fmt.Sprintf("the gateway's pod kept the image %q: no control plane of the revision injected it", seen.AutoImage))
	}
	return around(s, func(k *evidence.Kubernetes, cluster string) string {
		for _, p := range slices.Concat(seen.GatewayPods(k), seen.AppPods(k, evidence.RoleHelloworld), seen.AppPods(k, evidence.RoleSleep)) {
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
		if k == nil || len(k.Services) == 0 || seen.HasService(k, evidence.RoleHelloworld) {
			return ""
		}
		return fmt.Sprintf("cluster %s has no service helloworld in namespace %s", cluster, seen.Sample)
	})
}

// sameNetwork is shown by the gateways' own networks.
func sameNetwork(s sight) (string, []string) {
	owner := map[string]string{}
	for _, c := range s.all() {
		for _, p := range seen.GatewayPods(s.objects(c.Name)) {
			network := p.Env["ISTIO_META_NETWORK"]
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

// istioctl's names in a remote secret: its annotation, and the start of its own name.
const (
	clusterAnnotation = "networking.istio.io/cluster"
	secretPrefix      = "istio-remote-secret-"
)

// callers are the clusters whose own view of the others the claim is about: the one that calls, or, for what a cluster was
// asked for, the ones that asked.
func (s sight) callers() []intent.Cluster {
	switch {
	case s.self.Name == "":
		return nil
	case s.claim == "served-by-peer":
		return s.peers
	}
	return []intent.Cluster{s.self}
}

func secretMissing(s sight) (string, []string) {
	for _, c := range s.callers() {
		k := s.objects(c.Name)
		if k == nil {
			continue
		}
		for _, p := range s.run.Intent.Peers(c.Name) {
			named := func(o evidence.Object) bool {
				return o.Annotations[clusterAnnotation] == p.RemoteName || o.Name == secretPrefix+p.RemoteName
			}
			if !slices.ContainsFunc(k.RemoteSecrets, named) {
				return fmt.Sprintf("cluster %s has no remote secret for %s (%s)", c.Name, p.Name, p.RemoteName),
					[]string{evidence.FileOfKubernetes(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

func clusterTimeout(s sight) (string, []string) {
	for _, c := range s.callers() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, i := range s.cluster(c.Name).Istiods {
			watched, err := i.RemoteClusters()
			if err != nil {
				continue // the claim itself says so
			}
			for _, remote := range watched {
				if remote.SyncStatus == "timeout" {
					return fmt.Sprintf("istiod %s on cluster %s could not read cluster %s in time", i.Pod, c.Name, remote.ID),
						[]string{i.File(s.epoch, c.Name)}
				}
			}
		}
	}
	return "", nil
}

// differentRoots compares what the proxies trust: it is what decides whether they can speak to each other.
func differentRoots(s sight) (string, []string) {
	var first evidence.Proxy
	of := ""
	for _, c := range s.all() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, p := range s.cluster(c.Name).Proxies {
			switch {
			case p.RootSHA256 == "":
			case of == "":
				first, of = p, c.Name
			case p.RootSHA256 != first.RootSHA256:
				return fmt.Sprintf("pod %s on cluster %s trusts the root %.16s and pod %s on cluster %s the root %.16s, so neither takes the other's certificates",
						first.Pod, of, first.RootSHA256, p.Pod, c.Name, p.RootSHA256),
					[]string{first.File(s.epoch, of), p.File(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

func noAddress(s sight) (string, []string) {
	for _, c := range s.far() {
		k := s.objects(c.Name)
		if k != nil && len(k.Services) > 0 && len(seen.GatewayAddresses(k)) == 0 {
			return fmt.Sprintf("the gateway of cluster %s has no address", c.Name), []string{evidence.FileOfKubernetes(s.epoch, c.Name)}
		}
	}
	return "", nil
}

func noListener(s sight) (string, []string) {
	for _, c := range s.far() {
		for _, p := range s.cluster(c.Name).Proxy(evidence.RoleGateway) {
			if listens, err := p.Listens(evidence.GatewayPort); err == nil && !listens {
				return fmt.Sprintf("the gateway of cluster %s has no listener on port %d", c.Name, evidence.GatewayPort), []string{p.File(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

func gatewayUnreachable(s sight) (string, []string) {
	for _, c := range s.all() {
		if s.cluster(c.Name) == nil {
			continue
		}
		for _, d := range s.cluster(c.Name).Dials {
			if !d.Connected {
				return fmt.Sprintf("the gateway of cluster %s cannot be reached at %s from cluster %s: %s", d.To, d.Address, c.Name, d.Error),
					[]string{evidence.FileOfDials(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

// connectionsFailing is shown by the callers' counters: a connection that fails is tried again elsewhere without a word.
func connectionsFailing(s sight) (string, []string) {
	for _, c := range s.all() {
		t, there := s.cluster(c.Name).TrafficFor(evidence.Split)
		if !there {
			continue
		}
		for _, after := range t.After {
			at := slices.IndexFunc(t.Before, func(b evidence.Counters) bool {
				return b.Pod == after.Pod && b.Cluster == after.Cluster && b.Address == after.Address
			})
			if after.Role != evidence.RoleSleep || at < 0 {
				continue
			}
			if failed := after.CxConnectFail - t.Before[at].CxConnectFail; failed > 0 {
				return fmt.Sprintf("%d connections from sleep on cluster %s to %s failed during the calls", failed, c.Name, after.Address),
					[]string{evidence.FileOfTraffic(s.epoch, c.Name, evidence.Split)}
			}
		}
	}
	return "", nil
}
