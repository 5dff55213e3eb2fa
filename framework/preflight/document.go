package preflight

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// Document is docs/rbac.md; namespace is where the guide's sample goes, "" = where the guide puts it.
func Document(namespace string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(`# The least that a run on given clusters must be allowed

Made by ` + "`meshproof rbac --markdown > docs/rbac.md`" + `; a test holds it against the list from which ` + "`meshproof preflight`" + ` asks.

` + "`meshproof rbac`" + ` prints the roles; bind them to the user of each kubeconfig, with a RoleBinding in istio-system and in
default and with a ClusterRoleBinding. The ClusterRole also holds what is done in the namespaces that the run makes, because a
namespace that is not there yet cannot hold a Role. ` + "`meshproof preflight`" + ` besides lists services, nodes, MetalLB's pools
and the Gateways of all namespaces where it may, as hints at a load balancer and at ports that are taken. With ` + "`--image-pull-secret`" + ` a run makes secrets in its own namespaces: ` + "`meshproof rbac --image-pull-secret`" + `
adds that, as ` + "`--asmcli`" + ` does what a real asmcli looks at; neither is in the roles below.

With ` + "`--from install`" + ` a run needs much more, all of it in a ClusterRole: istio-system, which the run makes then, can hold no Role before.
It may give itself every right on the cluster (escalate, bind), as everybody may who can install Istio: istiod's own ClusterRoles are given by
it. And it may list everything: before the run removes istio-system it looks whether somebody has put anything into it, of any kind that is
defined on the cluster, and a kind that it may not list keeps the namespace. What is for that only is last in the table.

A run needs less that begins later (` + "`--from expose`, `join` or `verify`" + `: not what S6, S7 and S8 need) or only looks
(` + "`--read-only`" + `); ` + "`meshproof rbac`" + ` takes the same flags, and the ` + "`--namespace`" + ` of a run that has the guide's
sample in another than ` + "`sample`" + `. The list is that of a run with --disruptive.

| what needs it | where | group | resources | verbs |
|---|---|---|---|---|
`)
	for _, p := range append(Permissions(Asked{Disruptive: true, PullSecret: true, Asmcli: true, Namespace: namespace}), installing()...) {
		where := cmp.Or(strings.Join(p.Namespaces, ", "), "everywhere")
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", p.Why, where, cmp.Or(p.Group, "(core)"), strings.Join(p.Resources, ", "), strings.Join(p.Verbs, ", "))
	}
	for _, kind := range []struct {
		title string
		asked Asked
	}{
		{"A run", Asked{}}, {"A run with --disruptive", Asked{Disruptive: true}},
		{"A run with --from install", Asked{From: intent.FromInstall}},
		{"A run with --from verify", Asked{From: intent.FromVerify}}, {"A run with --read-only", Asked{ReadOnly: true}},
	} {
		kind.asked.Namespace = namespace
		roles, err := Roles(kind.asked)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "\n## %s\n\n```yaml\n%s```\n", kind.title, roles)
	}
	return out.Bytes(), nil
}
