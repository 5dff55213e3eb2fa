package preflight

import (
	"slices"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/evidence"
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
	sample      = "sample"
	defaultName = "default"
	apps        = "apps"
	rbac        = "rbac.authorization.k8s.io"
	networking  = "networking.istio.io"
	security    = "security.istio.io"
	discovery   = "discovery.k8s.io"
	admission   = "admissionregistration.k8s.io"
)

// made are the namespaces that the run makes.
func made() []string { return []string{sample, fixtures.ProbeNamespace, evidence.SecondNamespace} }

// Permissions are everything that a run does on given clusters, with its removal. disruptive adds what --disruptive does.
func Permissions(disruptive bool) []Permission {
	all := slices.Concat(everywhere(), inSystem(), inMade())
	if disruptive {
		all = append(all, disrupting()...)
	}
	return all
}

func everywhere() []Permission {
	const prune = "S6: istioctl install lists its own objects in all namespaces, to remove what is left over (operator/pkg/uninstall/prune.go)"
	list := []string{"list"}
	return []Permission{
		{"S10, S15 and the suite's own namespaces", "", []string{"namespaces"}, []string{"get", "list", "watch", "create", "patch", "delete"}, nil},
		{prune, "", []string{"configmaps", "pods", "secrets", "serviceaccounts", "services"}, list, nil},
		{prune, apps, []string{"daemonsets", "deployments"}, list, nil},
		{prune, "autoscaling", []string{"horizontalpodautoscalers"}, list, nil},
		{prune, "policy", []string{"poddisruptionbudgets"}, list, nil},
		{prune, rbac, []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"}, list, nil},
		{prune, networking, []string{"envoyfilters"}, list, nil},
		{prune, admission, []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}, list, nil},
		{"looking: what the account of the remote secrets may do", "authorization.k8s.io", []string{"subjectaccessreviews"}, []string{"create"}, nil},
		{"looking: the addresses of the API server", discovery, []string{"endpointslices"}, list, []string{defaultName}},
	}
}

func inSystem() []Permission {
	const gateway = "S6: the east-west gateway, its wait and its removal"
	in := []string{istio.Namespace}
	change := []string{"get", "list", "create", "patch", "delete"}
	return []Permission{
		{gateway, apps, []string{"deployments"}, change, in},
		{gateway, apps, []string{"replicasets"}, []string{"list"}, in},
		{gateway, "", []string{"serviceaccounts", "services"}, change, in},
		{gateway, "autoscaling", []string{"horizontalpodautoscalers"}, change, in},
		{gateway, "policy", []string{"poddisruptionbudgets"}, change, in},
		{gateway, rbac, []string{"rolebindings", "roles"}, change, in},
		{"S7: the services are exposed", networking, []string{"gateways"}, change, in},
		{"S8: remote secrets; and the gateway's role may be given only by who may read secrets himself", "", []string{"secrets"}, []string{"get", "list", "watch", "create", "patch", "delete"}, in},
		{"the mesh's configuration and root", "", []string{"configmaps"}, []string{"get"}, in},
		{"S9 and looking", "", []string{"pods"}, []string{"get", "list"}, in},
		{"looking: istiod and the gateway are asked", "", []string{"pods/exec", "pods/portforward"}, []string{"create"}, in},
		{"looking", "", []string{"pods/log"}, []string{"get"}, in},
		{"looking", "", []string{"events"}, []string{"list"}, in},
		{"looking", discovery, []string{"endpointslices"}, []string{"list"}, in},
		{"looking", networking, []string{"destinationrules", "virtualservices"}, []string{"list"}, in},
		{"looking", security, []string{"authorizationpolicies"}, []string{"list"}, in},
	}
}

func inMade() []Permission {
	in := made()
	change := []string{"get", "list", "create", "patch"}
	return []Permission{
		{"S11 to S13, and the suite's second service", apps, []string{"deployments"}, change, in},
		{"S11 to S13, and the suite's second service", "", []string{"serviceaccounts", "services"}, change, in},
		{"the suite's probe, and S12 and S13's looks", "", []string{"pods"}, change, in},
		{"S14, and every measured call", "", []string{"pods/exec", "pods/portforward"}, []string{"create"}, in},
		{"S14: kubectl exec asks by WebSocket first", "", []string{"pods/exec"}, []string{"get"}, []string{sample}},
		{"looking: access logs", "", []string{"pods/log"}, []string{"get"}, in},
		{"the sample's access log", "telemetry.istio.io", []string{"telemetries"}, []string{"create", "patch"}, []string{sample}},
		{"looking", "", []string{"events"}, []string{"list"}, in},
		{"looking", discovery, []string{"endpointslices"}, []string{"list"}, in},
		{"looking", networking, []string{"destinationrules", "gateways", "virtualservices"}, []string{"list"}, in},
		{"looking", security, []string{"authorizationpolicies"}, []string{"list"}, in},
	}
}

// disrupting is what the disruptions that given clusters allow need besides.
func disrupting() []Permission {
	const why = "--disruptive: gateways and the sample are scaled, deleted and made anew"
	in := []string{istio.Namespace, sample}
	return []Permission{
		{why, apps, []string{"deployments/scale"}, []string{"get", "patch", "update"}, in},
		{why, "", []string{"pods", "services"}, []string{"delete"}, []string{sample}},
		{why, "", []string{"pods"}, []string{"delete"}, []string{istio.Namespace}},
	}
}
