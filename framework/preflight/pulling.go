package preflight

// Pulling is what --image-pull-secret needs besides: the secret is made in the namespaces that the run makes.
func Pulling() []Permission {
	return []Permission{{"--image-pull-secret: the suite's own pods pull with it", "", []string{"secrets"}, []string{"create", "patch"}, made()}}
}

func (o Options) permissions() []Permission {
	all := Permissions(o.Disruptive)
	if o.PullSecret {
		all = append(all, Pulling()...)
	}
	return all
}
