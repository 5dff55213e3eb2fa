package preflight

// pulling is what --image-pull-secret needs besides: the secret is made in the namespaces that the run makes.
func (a Asked) pulling() []Permission {
	return []Permission{{"--image-pull-secret: the suite's own pods pull with it", "", []string{"secrets"}, []string{"create", "patch"}, a.made()}}
}

// registering is what asmcli, and the run before it, look at besides: whether each cluster is registered in the fleet.
func registering() []Permission {
	const why = "--asmcli: create-mesh looks whether the cluster is registered"
	return []Permission{
		{why, "apiextensions.k8s.io", []string{"customresourcedefinitions"}, []string{"get"}, nil},
		{why, "hub.gke.io", []string{"memberships"}, []string{"get", "list"}, nil},
	}
}
