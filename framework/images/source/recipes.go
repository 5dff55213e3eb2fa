package source

import (
	"maps"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/meshproof/meshproof/framework/images/internal/oci"
	"github.com/meshproof/meshproof/framework/images/internal/versions"
)

// Names of images that exist nowhere but here. The host does not resolve: nodes reach it through the rig's registry.
const (
	// Host is the registry that those names give.
	Host = "registry.meshproof.local"
	// Hub is the prefix of Istio's images as nodes ask for them.
	Hub = Host + "/istio"
)

// Labels on image configurations: they tell a later run, which may have pulled the image, what is inside.
const (
	LabelEnvoy = "meshproof.envoy" // "upstream": Envoy without Istio's own filters
	LabelCNI   = "meshproof.cni"   // "static": a fixed network configuration in place of kindnetd
	// LabelStandsInFor holds Recipe.StandsInFor.
	LabelStandsInFor = "meshproof.stands-in-for"
)

// Recipe says what one image is made of.
type Recipe struct {
	Name        string // short, for cache entries
	Ref         string // as nodes ask for it
	Purpose     string
	StandsInFor string // what is really there when it is not what Ref names; "" when it is the real thing
	Slim        bool   // on the slim root file system; else on nothing
	Unit        string // the unit whose executables are in it
	Files       map[string]string
	Envoy       bool // Envoy and its bootstrap template are in it
	Config      v1.Config
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// bin is a recipe of one executable that is also the entry point.
func bin(name, ref, purpose, unit, file string) Recipe {
	to := "/usr/local/bin/" + file
	return Recipe{Name: name, Ref: ref, Purpose: purpose, Unit: unit, Files: map[string]string{to: file},
		Config: v1.Config{Entrypoint: []string{to}, Env: []string{searchPath}}}
}

// command is bin without an entry point, as the static pods of Kubernetes expect their images.
func command(name, ref, purpose, unit, file string) Recipe {
	r := bin(name, ref, purpose, unit, file)
	r.Config.Entrypoint = nil
	return r
}

// idle is a recipe of the pause program under the name of the command that a pod starts.
func idle(name, ref, purpose, as string) Recipe {
	r := bin(name, ref, purpose, "pause", "pause")
	r.Files = map[string]string{"/usr/local/bin/" + as: "pause"}
	r.Config.Entrypoint = []string{"/usr/local/bin/" + as}
	return r
}

// standIn marks an image as not the one that its name says, also for runs that pull it from a mirror.
func standIn(r Recipe, why string) Recipe {
	r.StandsInFor = why
	labels := maps.Clone(r.Config.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[LabelStandsInFor] = why
	r.Config.Labels = labels
	return r
}

func slim(r Recipe) Recipe { r.Slim = true; return r }

// KubernetesRecipes are the images that a node needs before the mesh: kind puts them into the node image.
func KubernetesRecipes(v versions.Versions) []Recipe {
	i := v.Images
	unused := "an image that kind puts on every node and no run uses; the content is our pause program"
	return []Recipe{
		command("apiserver", i["apiserver"], "Kubernetes API server", "kubernetes", "kube-apiserver"),
		command("controller-manager", i["controllerManager"], "Kubernetes controllers", "kubernetes", "kube-controller-manager"),
		command("scheduler", i["scheduler"], "Kubernetes scheduler", "kubernetes", "kube-scheduler"),
		slim(command("proxy", i["proxy"], "Service addresses on a node", "kubernetes", "kube-proxy")),
		standIn(command("etcd", i["etcd"], "the store of the API server", "etcd", "etcd"), "etcd "+tag(i["etcd"])+"; this is "+v.Modules["etcd"].Version),
		standIn(bin("coredns", i["coredns"], "names inside a cluster", "coredns", "coredns"), "CoreDNS "+tag(i["coredns"])+"; this is "+v.Modules["coredns"].Version),
		standIn(bin("pause", i["pause"], "holds a pod's namespaces", "pause", "pause"), "Kubernetes' pause; this is our own"),
		standIn(bin("kindnet", i["kindnet"], "kind's network plug-in, replaced by a static configuration", "pause", "pause"), unused),
		standIn(idle("storage", i["storage"], "kind's volumes", "local-path-provisioner"), unused),
		standIn(bin("storage-helper", i["storageHelper"], "kind's volumes", "pause", "pause"), unused),
	}
}

// MeshRecipes are the images that the run itself deploys.
func MeshRecipes(v versions.Versions) []Recipe {
	i := v.Images
	return append(IstioRecipes(v),
		hello("helloworld-v1", i["helloworldV1"], "v1"), hello("helloworld-v2", i["helloworldV2"], "v2"),
		curl(i["curl"]),
		bin("metallb-controller", i["metallbController"], "gives load balancer addresses", "metallb", "controller"),
		bin("metallb-speaker", i["metallbSpeaker"], "answers for load balancer addresses", "metallb", "speaker"),
		ProbeRecipe(v), csrRecipe(v))
}

// Recipes are all images of a run except the node image.
func Recipes(v versions.Versions) []Recipe {
	return append(append(KubernetesRecipes(v), MeshRecipes(v)...), RegistryRecipe(v))
}

// IstioRecipes are the two images of the pinned Istio.
func IstioRecipes(v versions.Versions) []Recipe {
	pilot := bin("pilot", Hub+"/pilot:"+v.Istio.Version, "istiod", "istio", "pilot-discovery")
	pilot.Config.User = "1337:1337"
	proxy := bin("proxyv2", Hub+"/proxyv2:"+v.Istio.Version, "sidecars and gateways", "istio", "pilot-agent")
	proxy.Slim, proxy.Envoy = true, true
	proxy.Config.Labels = map[string]string{LabelEnvoy: "upstream"}
	return []Recipe{pilot, standIn(proxy, "Istio's own Envoy build; this is upstream Envoy "+v.Envoy.Version+", without Istio's filters")}
}

// ProbeRecipe is the image of the probe program.
func ProbeRecipe(v versions.Versions) Recipe {
	return bin("probe", Probe(v), "looks at the network from an uninjected pod", "programs", "probe")
}

func csrRecipe(v versions.Versions) Recipe {
	return bin("csr", CSR(v), "signs for the fleet's CA (--ca mesh-ca, ca-service)", "csr", "csr")
}

// RegistryRecipe is the image of the rig's registry: the one image that runs in the engine and not in a cluster.
func RegistryRecipe(v versions.Versions) Recipe {
	r := bin("registry", RegistryProgram(v), "serves the nodes every image of the run", "programs", "registry")
	r.Config.Entrypoint = append(r.Config.Entrypoint, LayoutMount)
	return r
}

// LayoutMount is where the registry's image expects the layout.
const LayoutMount = "/layout"

func hello(name, ref, version string) Recipe {
	r := bin(name, ref, "the sample service, version "+version, "programs", "helloworld")
	r.Config.Env = append(r.Config.Env, "SERVICE_VERSION="+version)
	return standIn(r, "Istio's sample in Python; this is a server of our own that stops on SIGTERM")
}

func curl(ref string) Recipe {
	r := Recipe{Name: "curl", Ref: ref, Purpose: "the sample client", Slim: true,
		Config: v1.Config{Env: []string{searchPath}, Entrypoint: []string{"curl"}}}
	return standIn(r, "curl's own image; this is Debian's curl")
}

func tag(ref string) string { return ref[strings.LastIndex(ref, ":")+1:] }

// files are a recipe's own files, on top of its root file system; dirs holds the directories of executables by unit.
func (r Recipe) files(executables, envoy, istio string) []oci.File {
	var out []oci.File
	for to, from := range r.Files {
		out = append(out, oci.File{Path: to, Source: filepath.Join(executables, from)})
	}
	if r.Envoy {
		out = append(out, oci.File{Path: "/usr/local/bin/envoy", Source: filepath.Join(envoy, "envoy")},
			oci.File{Path: "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", Mode: 0o644,
				Source: filepath.Join(istio, "tools", "packaging", "common", "envoy_bootstrap.json")})
	}
	return out
}
