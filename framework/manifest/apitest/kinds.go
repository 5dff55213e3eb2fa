package apitest

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// resources are the kinds that the project writes.
func resources() map[string][]metav1.APIResource {
	r := func(plural, kind string, namespaced bool) metav1.APIResource {
		return metav1.APIResource{Name: plural, Kind: kind, Namespaced: namespaced, Verbs: metav1.Verbs{"get", "list", "create", "patch", "delete"}}
	}
	return map[string][]metav1.APIResource{
		"v1": {r("namespaces", "Namespace", false), r("secrets", "Secret", true), r("services", "Service", true), r("pods", "Pod", true),
			r("serviceaccounts", "ServiceAccount", true), r("configmaps", "ConfigMap", true), r("resourcequotas", "ResourceQuota", true), r("limitranges", "LimitRange", true)},
		"discovery.k8s.io/v1": {r("endpointslices", "EndpointSlice", true)},
		"apps/v1":             {r("deployments", "Deployment", true), r("replicasets", "ReplicaSet", true)},
		"autoscaling/v2":      {r("horizontalpodautoscalers", "HorizontalPodAutoscaler", true)},
		"policy/v1":           {r("poddisruptionbudgets", "PodDisruptionBudget", true)},
		"rbac.authorization.k8s.io/v1": {r("roles", "Role", true), r("rolebindings", "RoleBinding", true), r("clusterrolebindings", "ClusterRoleBinding", false),
			r("clusterroles", "ClusterRole", false)},
		"admissionregistration.k8s.io/v1": {r("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", false),
			r("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", false)},
		"apiextensions.k8s.io/v1":  {r("customresourcedefinitions", "CustomResourceDefinition", false)},
		"networking.istio.io/v1":   {r("gateways", "Gateway", true)},
		"monitoring.coreos.com/v1": {r("podmonitors", "PodMonitor", true)},
		"hub.gke.io/v1":            {r("memberships", "Membership", false)},
		"coordination.k8s.io/v1":   {r("leases", "Lease", true)},
	}
}
