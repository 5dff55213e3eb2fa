package preflight

import (
	"cmp"
	"slices"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// Permission is what the user of a kubeconfig must be allowed to do with some resources.
type Permission struct {
	// Why is the part of the run that does it.
	Why       string
	Group     string
	Resources []string
	Verbs     []string
	// Namespaces are where; none = everywhere, or not in a namespace.
	Namespaces []string
}

const (
	defaultName = "default"
	apps        = "apps"
	rbac        = "rbac.authorization.k8s.io"
	networking  = "networking.istio.io"
	security    = "security.istio.io"
	discovery   = "discovery.k8s.io"
	admission   = "admissionregistration.k8s.io"
)

// made are the namespaces that the run makes; one that only looks makes none, and looks into the sample's.
func (a Asked) made() []string {
	if a.ReadOnly {
		return []string{a.namespace()}
	}
	return []string{a.namespace(), fixtures.ProbeNamespace, evidence.SecondNamespace}
}

// absent are the namespaces that cannot hold a Role before the run: those that it makes for itself, and istio-system where it makes that too.
func (a Asked) absent() []string {
	if a.installs() {
		return append(a.made(), istio.Namespace)
	}
	return a.made()
}

// namespace is where the guide's sample goes.
func (a Asked) namespace() string { return cmp.Or(a.Namespace, intent.GuideNamespace) }

// Asked says what of a run decides what its user must be allowed.
type Asked struct {
	// From is where the run begins, ReadOnly that it only looks, Disruptive that it changes the mesh on purpose.
	From                 intent.Begin
	ReadOnly, Disruptive bool
	// PullSecret tells that the suite's own pods pull with a secret, Asmcli that a real asmcli performs S8.
	PullSecret, Asmcli bool
	// Namespace is where the guide's sample goes; "" = where the guide puts it.
	Namespace string
}

// Permissions are everything that a run does on given clusters, with its removal.
func Permissions(a Asked) []Permission {
	if a.ReadOnly {
		return looking(a.made())
	}
	all := slices.Concat(looking(a.made()), always())
	for _, step := range []struct {
		id    string
		needs func() []Permission
	}{{intent.StepGateway, gateway}, {intent.StepExpose, exposure}, {intent.StepJoin, joining}} {
		if !a.From.Skips(step.id) {
			all = append(all, step.needs()...)
		}
	}
	all = append(all, a.inMade()...)
	if a.installs() {
		all = append(all, installing()...)
	}
	if a.Disruptive {
		all = append(all, a.disrupting()...)
	}
	if a.PullSecret {
		all = append(all, a.pulling()...)
	}
	if a.Asmcli {
		all = append(all, registering()...)
	}
	if a.installs() {
		return everywhere(all)
	}
	return all
}

// installs tells whether the run brings the control planes.
func (a Asked) installs() bool { return a.From == intent.FromInstall }

// everywhere has what is needed in istio-system asked for the whole cluster: where the run makes it, no Role can be there before.
func everywhere(all []Permission) []Permission {
	for i, p := range all {
		if slices.Contains(p.Namespaces, istio.Namespace) {
			all[i].Namespaces = nil
		}
	}
	return all
}

// looking is what a run reads, and whom it asks, in the mesh and in these namespaces of its own.
func looking(own []string) []Permission {
	const why = "looking"
	in, list := []string{istio.Namespace}, []string{"list"}
	both := append([]string{istio.Namespace}, own...)
	return []Permission{
		{"which cluster it is, and what is there", "", []string{"namespaces"}, []string{"get"}, nil},
		{"looking: what the account of the remote secrets may do", "authorization.k8s.io", []string{"subjectaccessreviews"}, []string{"create"}, nil},
		{"looking: what injects", admission, []string{"mutatingwebhookconfigurations"}, list, nil},
		{"looking: the addresses of the API server", discovery, []string{"endpointslices"}, list, []string{defaultName}},
		{"the mesh's configuration and root", "", []string{"configmaps"}, []string{"get"}, in},
		{"the control plane", apps, []string{"deployments"}, []string{"get"}, in},
		{"looking: which clusters the remote secrets name, and with which address", "", []string{"secrets"}, list, in},
		{why, apps, []string{"deployments"}, list, both},
		{why, "", []string{"pods", "services", "events"}, list, both},
		{"looking: pods are found before they are asked", "", []string{"pods"}, []string{"get"}, both},
		{why, discovery, []string{"endpointslices"}, list, both},
		{why, networking, []string{"destinationrules", "gateways", "virtualservices"}, list, both},
		{why, security, []string{"authorizationpolicies"}, list, both},
		{"looking: istiod and the proxies are asked; and every call", "", []string{"pods/exec", "pods/portforward"}, []string{"create"}, both},
		{"looking: logs", "", []string{"pods/log"}, []string{"get"}, both},
	}
}

// always is what every run does that changes anything.
func always() []Permission {
	in := []string{istio.Namespace}
	return []Permission{
		{"what is in the way, and what the run builds on", "", []string{"services"}, []string{"get"}, in},
		{"what is in the way, and what the run builds on", networking, []string{"gateways"}, []string{"get"}, in},
		{"one run at a time: its lease", "coordination.k8s.io", []string{"leases"}, []string{"get", "create", "update", "delete"}, in},
		{"what the run makes, noted on the cluster", "", []string{"configmaps"}, []string{"get", "list", "create", "patch", "delete"}, in},
		{"S10, S15 and the suite's own namespaces", "", []string{"namespaces"}, []string{"get", "list", "watch", "create", "patch", "delete"}, nil},
	}
}

func gateway() []Permission {
	const (
		prune = "S6: istioctl install lists its own objects in all namespaces, to remove what is left over (operator/pkg/uninstall/prune.go)"
		why   = "S6: the east-west gateway, its wait and its removal"
	)
	in, list := []string{istio.Namespace}, []string{"list"}
	change := []string{"get", "list", "create", "patch", "delete"}
	return []Permission{
		{prune, "", []string{"configmaps", "pods", "secrets", "serviceaccounts", "services"}, list, nil},
		{prune, apps, []string{"daemonsets", "deployments"}, list, nil},
		{prune, "autoscaling", []string{"horizontalpodautoscalers"}, list, nil},
		{prune, "policy", []string{"poddisruptionbudgets"}, list, nil},
		{prune, rbac, []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"}, list, nil},
		{prune, networking, []string{"envoyfilters"}, list, nil},
		{prune, admission, []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}, list, nil},
		{why, apps, []string{"deployments"}, change, in},
		{why, apps, []string{"replicasets"}, list, in},
		{why, "", []string{"serviceaccounts", "services"}, change, in},
		{why, "autoscaling", []string{"horizontalpodautoscalers"}, change, in},
		{why, "policy", []string{"poddisruptionbudgets"}, change, in},
		{why, rbac, []string{"rolebindings", "roles"}, change, in},
		{"S6: the gateway's role may be given only by who may read secrets himself", "", []string{"secrets"}, []string{"get", "list", "watch"}, in},
	}
}

func exposure() []Permission {
	return []Permission{
		{"S7: the services are exposed", networking, []string{"gateways"}, []string{"get", "list", "create", "patch", "delete"}, []string{istio.Namespace}},
	}
}

func joining() []Permission {
	in := []string{istio.Namespace}
	return []Permission{
		{"S8: remote secrets", "", []string{"secrets"}, []string{"get", "list", "watch", "create", "patch", "delete"}, in},
		{"S8: istioctl looks at the account whose token it takes", "", []string{"serviceaccounts"}, []string{"get", "list"}, in},
	}
}

func (a Asked) inMade() []Permission {
	in, sample := a.made(), []string{a.namespace()}
	change := []string{"get", "list", "create", "patch"}
	return []Permission{
		{"S11 to S13, and the suite's second service", apps, []string{"deployments"}, change, in},
		{"S11 to S13, and the suite's second service", "", []string{"serviceaccounts", "services"}, change, in},
		{"the suite's probe, and S12 and S13's looks", "", []string{"pods"}, change, in},
		{"S14: kubectl exec asks by WebSocket first", "", []string{"pods/exec"}, []string{"get"}, sample},
		{"the sample's access log", "telemetry.istio.io", []string{"telemetries"}, []string{"create", "patch"}, sample},
	}
}

// disrupting is what the disruptions that given clusters allow need besides.
func (a Asked) disrupting() []Permission {
	const why = "--disruptive: gateways and the sample are scaled, deleted and made anew"
	sample := []string{a.namespace()}
	in := append([]string{istio.Namespace}, sample...)
	return []Permission{
		{why, apps, []string{"deployments/scale"}, []string{"get", "patch", "update"}, in},
		{why, "", []string{"pods", "services"}, []string{"delete"}, sample},
		{why, "", []string{"pods"}, []string{"delete"}, []string{istio.Namespace}},
	}
}
