package preflight

import (
	"errors"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/images"
)

// runImages judges what registries said of the images of a run on kind clusters.
func runImages(asked Seen[[]images.Asked]) Row {
	const name = "images"
	if asked.Err != nil {
		return unseen(name, asked.Err)
	}
	missing, open := sorted(asked.Value)
	switch {
	case len(missing) > 0:
		return failed(name, "the registry does not hold "+strings.Join(missing, ", "), "push them there (meshproof images push), choose another --registry, or use --images source")
	case len(open) > 0:
		return unknown(name, "not known of "+strings.Join(open, "; "), "see that this machine reaches the registry and may read it (docker login), or use --images source")
	}
	return ok(name, "the registry has the manifests of all that would be pulled")
}

// sorted gives the images that a registry does not hold, and those of which it is not known, with the reason.
func sorted(asked []images.Asked) (missing, open []string) {
	for _, a := range asked {
		switch {
		case errors.Is(a.Err, images.ErrNowhere):
			missing = append(missing, a.Ref)
		case a.Err != nil:
			open = append(open, a.Ref+": "+a.Err.Error())
		}
	}
	return missing, open
}

// podImages judges the images of the pods on a given cluster. Only a pod would show for certain that a node can pull one.
func podImages(p Seen[Pulls]) Row {
	const name = "images"
	if p.Err != nil {
		return unseen(name, p.Err)
	}
	missing, open := sorted(p.Value.Asked)
	if p.Value.Asked == nil {
		open = slices.DeleteFunc(slices.Clone(p.Value.Wanted), func(ref string) bool { return slices.Contains(p.Value.There, ref) })
	}
	do := "name the registry from which the nodes pull with --images registry --registry HOST/PREFIX (without --registry the images' own are asked), or see yourself that a pod of each comes up"
	if slices.Contains(open, images.ProbeRef()) {
		do = "give an image that the nodes can pull with --probe-image; " + do
	}
	switch {
	case len(missing) > 0:
		return failed(name, "the registry does not hold "+strings.Join(missing, ", "), "push them there, or give another --probe-image or --registry")
	case len(open) > 0:
		return unknown(name, "no node names them among its images, and nothing was pulled: "+strings.Join(open, "; "), do)
	case !p.Value.Samples:
		return unknown(name, "which images the samples have is not known without a release directory", "give it with --release-dir")
	}
	return ok(name, "a node or the registry holds each of "+strings.Join(p.Value.Wanted, ", "))
}

// pullSecrets judges the secrets that the mesh names: istiod gives them to the gateway's pods and to the injected ones, and a pod uses
// those of its own namespace. The namespaces of the samples are made by the run and hold none.
func pullSecrets(s Seen[Secrets], p Pulls) Row {
	const name = "pull secrets"
	if s.Err != nil {
		return unseen(name, s.Err)
	}
	v := s.Value
	named := strings.Join(v.Named, ", ")
	switch {
	case len(v.Named) == 0:
		return ok(name, "the mesh names none")
	case len(v.Lacking) > 0:
		return failed(name, "the mesh has its pods pull with "+named+", and istio-system has no "+strings.Join(v.Lacking, ", "), "make these secrets in istio-system, or take them out of global.imagePullSecrets")
	case slices.Contains(p.There, p.Proxy):
		return ok(name, "istio-system has "+named+"; the namespaces that the run makes have not, and a node holds the proxy's image already")
	}
	return unknown(name, "istio-system has "+named+", and the namespaces that the run makes will not unless something copies it there", "see that the nodes can pull the proxy's image "+p.Proxy+" without it, or have it copied into new namespaces")
}

// credentials judges whether the file of --image-pull-secret is about the registry of the suite's own image.
func credentials(image string, registries []string) Row {
	const name = "image pull secret"
	registry := images.RegistryOf(image)
	for _, r := range registries {
		_, host, hasScheme := strings.Cut(r, "://") // docker login writes https://index.docker.io/v1/
		if !hasScheme {
			host = r
		}
		if host, _, _ = strings.Cut(host, "/"); images.RegistryOf(host+"/image") == registry {
			return ok(name, "the file has credentials for "+registry)
		}
	}
	return failed(name, "the file has credentials for "+strings.Join(registries, ", ")+", and "+image+" is at "+registry, "log in to "+registry+", or give the --probe-image that is meant")
}
