package session

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/mesh/emulatedca"
	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// kindNamespaces are those that are on clusters which a run makes, besides what every run makes and what Kubernetes and the mesh have.
func kindNamespaces() []string {
	return []string{emulatedca.Namespace, metallbNamespace, "local-path-storage"}
}

const metallbNamespace = "metallb-system"

// CheckNamespace refuses a namespace for the guide's sample that a run cannot make and remove again, or that the commands which it
// runs do not name; "" is where the guide puts it.
func CheckNamespace(name string, mode intent.Mode) error {
	name = cmp.Or(name, intent.GuideNamespace)
	refuse := func(format string, args ...any) error {
		return &UsageError{fmt.Errorf("--namespace %s: "+format, append([]any{name}, args...)...)}
	}
	switch wrong := validation.IsDNS1123Label(name); {
	case len(wrong) > 0:
		return refuse("it is no name of a namespace: use at most 63 lower-case letters, digits and '-', with a letter or a digit at both ends")
	case name == "default", name == istio.Namespace, strings.HasPrefix(name, "kube-"):
		return refuse("Kubernetes or the mesh itself is there, and the guide's last step deletes the namespace of its sample: give a name that is free")
	case slices.Contains(slices.Concat(ownNamespaces(), kindNamespaces()), name):
		return refuse("the run itself makes one of that name: give another")
	case name != intent.GuideNamespace && mode == intent.Literal:
		return refuse("the commands that --mode literal runs as printed say %s: leave one of them out", intent.GuideNamespace)
	}
	return nil
}
