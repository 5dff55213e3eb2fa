package preflight

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/mesh/istio"
)

// RoleName is that of the roles which Roles prints.
const RoleName = "meshproof"

// Roles gives the least roles with which a run can do what is asked of it, as YAML: a Role where the namespace is there before the run, and
// a ClusterRole for the rest. A namespace that the run makes cannot have a Role before.
func Roles(a Asked) ([]byte, error) {
	permissions := Permissions(a)
	var out bytes.Buffer
	fmt.Fprintf(&out, "# The ClusterRole holds also what is done in: %s.\n", strings.Join(a.absent(), ", "))
	for _, namespace := range []string{"", istio.Namespace, defaultName} {
		rules := rules(permissions, namespace)
		if len(rules) == 0 {
			continue // the run makes that namespace
		}
		meta := metav1.ObjectMeta{Name: RoleName, Namespace: namespace}
		var role any = rbacv1.ClusterRole{TypeMeta: typed("ClusterRole"), ObjectMeta: meta, Rules: rules}
		if namespace != "" {
			role = rbacv1.Role{TypeMeta: typed("Role"), ObjectMeta: meta, Rules: rules}
		}
		text, err := yaml.Marshal(role)
		if err != nil {
			return nil, fmt.Errorf("print the role for namespace %q: %w", namespace, err)
		}
		if namespace != "" {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

func typed(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}

// rules are those of the role for a namespace that is there before the run, or for all that is not ("").
func rules(permissions []Permission, namespace string) []rbacv1.PolicyRule {
	verbs := map[string][]string{} // by group and resource
	for _, p := range permissions {
		if !p.in(namespace) {
			continue
		}
		for _, resource := range p.Resources {
			at := p.Group + " " + resource
			verbs[at] = append(verbs[at], p.Verbs...)
		}
	}
	together := map[string][]string{} // resources by group and verbs
	for at, all := range verbs {
		group, resource, _ := strings.Cut(at, " ")
		slices.Sort(all)
		key := group + " " + strings.Join(slices.Compact(all), " ")
		together[key] = append(together[key], resource)
	}
	var found []rbacv1.PolicyRule
	for key, resources := range together {
		group, list, _ := strings.Cut(key, " ")
		slices.Sort(resources)
		found = append(found, rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: strings.Fields(list)})
	}
	slices.SortFunc(found, func(a, b rbacv1.PolicyRule) int {
		return strings.Compare(a.APIGroups[0]+" "+a.Resources[0], b.APIGroups[0]+" "+b.Resources[0])
	})
	return found
}

// in tells whether a role for the namespace holds the permission; "" stands for the ClusterRole.
func (p Permission) in(namespace string) bool {
	if namespace != "" {
		return slices.Contains(p.Namespaces, namespace)
	}
	return len(p.Namespaces) == 0 || slices.ContainsFunc(p.Namespaces, func(n string) bool { return n != istio.Namespace && n != defaultName })
}
