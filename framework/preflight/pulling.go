package preflight

// pulling is what --image-pull-secret needs besides: the secret is made in the namespaces that the run makes.
func (a Asked) pulling() []Permission {
	return []Permission{{"--image-pull-secret: the suite's own pods pull with it", "", []string{"secrets"}, []string{"create", "patch"}, a.made()}}
}
