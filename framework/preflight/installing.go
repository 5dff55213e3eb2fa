package preflight

// installing is what the installation of a control plane needs, with the look before it and its removal, besides what is needed anyway.
// istioctl applies what the charts base and istiod render, and lists it (operator/pkg/install/install.go).
func installing() []Permission {
	const (
		refuse = "--from install: refuses any Istio; removes istiod's own objects outside of istio-system"
		charts = "--from install: what the charts make in no namespace, its mark and its removal"
		inside = "--from install: what the charts make in istio-system"
		others = "--from install: what somebody else has put into istio-system meanwhile, of whatever kind, keeps it"
		kinds  = "--from install: with the definitions of Istio's kinds go their objects, so that there must be none of somebody else's"
	)
	change := []string{"get", "list", "create", "patch", "delete"}
	return []Permission{
		{refuse, "", []string{"configmaps"}, []string{"get", "list", "delete"}, nil},
		{refuse, "gateway.networking.k8s.io", []string{"gatewayclasses"}, []string{"get", "list", "delete"}, nil},
		{charts, "apiextensions.k8s.io", []string{"customresourcedefinitions"}, change, nil},
		{charts, admission, []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}, change, nil},
		{charts, rbac, []string{"clusterrolebindings", "clusterroles"}, change, nil},
		{"--from install: istiod's roles may be given only by who has all of them himself, or may do this", rbac, []string{"clusterroles", "roles"}, []string{"bind", "escalate"}, nil},
		{inside, "", []string{"configmaps", "secrets", "serviceaccounts", "services"}, []string{"get", "create", "patch"}, nil},
		{inside, apps, []string{"deployments"}, change, nil},
		{inside, "autoscaling", []string{"horizontalpodautoscalers"}, []string{"get", "create", "patch"}, nil},
		{inside, "policy", []string{"poddisruptionbudgets"}, []string{"get", "create", "patch"}, nil},
		{inside, rbac, []string{"rolebindings", "roles"}, []string{"get", "create", "patch"}, nil},
		{others, "*", []string{"*"}, []string{"list"}, nil},
		{kinds, networking, []string{"destinationrules", "envoyfilters", "gateways", "proxyconfigs", "serviceentries", "sidecars", "virtualservices",
			"workloadentries", "workloadgroups"}, []string{"list"}, nil},
		{kinds, security, []string{"authorizationpolicies", "peerauthentications", "requestauthentications"}, []string{"list"}, nil},
		{kinds, "telemetry.istio.io", []string{"telemetries"}, []string{"list"}, nil},
		{kinds, "extensions.istio.io", []string{"trafficextensions", "wasmplugins"}, []string{"list"}, nil},
	}
}
