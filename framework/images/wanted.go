package images

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/run"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
	"github.com/meshproof/meshproof/framework/images/source"
)

// wanted is one image that registry mode needs: where it may be pulled from, and what builds it when it is nowhere.
type wanted struct {
	Image
	from  []string // references to try, the first that is there wins
	build bool     // no public registry holds it: it is built when none of from is there
}

// mirrored is the reference under which a mirror holds an image: HOST/PREFIX/<repository path>:tag.
func mirrored(mirror, ref string) string {
	path, tag := oci.Repository(ref)
	return strings.TrimSuffix(mirror, "/") + "/" + path + ":" + tag
}

// istioOf names the Istio images of a release: its hub and its tag.
type istioOf struct{ hub, tag string }

func (i istioOf) image(name string) string { return i.hub + "/" + name + ":" + i.tag }

// wantedImages lists what registry mode puts into the layout. Images that exist only here are asked of a mirror and else
// built; the release's Istio is pulled when there is a release.
func wantedImages(v versions.Versions, mirror string, release *istioOf) []wanted {
	var out []wanted
	for _, r := range append(source.MeshRecipes(v), source.RegistryRecipe(v)) {
		w := wanted{Image: Image{Ref: r.Ref, Purpose: r.Purpose, Origin: pulled}}
		own := strings.HasPrefix(r.Ref, source.Host+"/")
		if release != nil && strings.HasPrefix(r.Ref, source.Hub+"/") {
			path, _ := oci.Repository(r.Ref)
			w.Ref, own = release.image(filepath.Base(path)), false
		}
		switch {
		case mirror != "":
			w.from = []string{mirrored(mirror, w.Ref)}
		case !own:
			w.from = []string{w.Ref}
		}
		if w.build = own; own && mirror == "" {
			w.Origin = built
		}
		out = append(out, w)
	}
	return out
}

// wantedNode is the node image. A mirror may hold the one that was built here, under a name of its own; that of kind's
// release is pinned by its digest where it comes from its own registry.
func wantedNode(v versions.Versions, mirror string) wanted {
	w := wanted{Image: Image{Ref: v.Images["node"], Purpose: nodePurpose, Origin: pulled}, from: []string{v.Images["node"] + "@" + v.NodeDigest}}
	if mirror != "" {
		w.from = []string{mirrored(mirror, builtNode(v)), mirrored(mirror, v.Images["node"])}
	}
	return w
}

const nodePurpose = "a cluster's node, run by kind"

// builtNode is the name under which a built node image is pushed.
func builtNode(v versions.Versions) string {
	return source.Host + "/meshproof/node:" + v.Modules["kubernetes"].Version
}

// pilotImage finds istiod's image in rendered manifests: its hub and its tag.
const pilotImage = `(?m)^\s*image: "?(\S+)/pilot:([^\s"]+)"?\s*$`

// releaseImages asks a release's own istioctl, without a cluster, which images it installs; nil without a release.
func releaseImages(ctx context.Context, dir string) (*istioOf, error) {
	if dir == "" {
		return nil, nil
	}
	out, err := run.Output(ctx, run.Cmd{Name: filepath.Join(dir, "istioctl"), Args: []string{"manifest", "generate"}})
	if err != nil {
		return nil, fmt.Errorf("ask the release in %s for its images: %w: give --release-dir a directory as asmcli --output_dir lays it out", dir, err)
	}
	m := regexp.MustCompile(pilotImage).FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("ask the release in %s for its images: its istioctl renders no pilot image: give --release-dir another release", dir)
	}
	return &istioOf{hub: string(m[1]), tag: string(m[2])}, nil
}
