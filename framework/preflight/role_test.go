package preflight

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/intent"
)

// printed roles, as a person would apply them.
func roles(t *testing.T, asked Asked) []rbacv1.Role {
	t.Helper()
	text, err := Roles(asked)
	if err != nil {
		t.Fatal(err)
	}
	var all []rbacv1.Role
	for _, document := range strings.Split(string(text), "---\n") {
		var r rbacv1.Role
		if err := yaml.UnmarshalStrict([]byte(document), &r); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "ClusterRole", false: "Role"}[r.Namespace == ""]; r.Kind != want {
			t.Errorf("%s in %q, want a %s", r.Kind, r.Namespace, want)
		}
		all = append(all, r)
	}
	return all
}

func allows(r rbacv1.PolicyRule, a authorizationv1.ResourceAttributes) bool {
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	return slices.Contains(r.APIGroups, a.Group) && slices.Contains(r.Resources, resource) && slices.Contains(r.Verbs, a.Verb)
}

func kinds() []Asked {
	return []Asked{{}, {Disruptive: true}, {From: intent.FromExpose}, {From: intent.FromJoin}, {From: intent.FromVerify}, {ReadOnly: true}}
}

// TestLessIsAskedForLess: a run that begins later needs nothing more than one that begins earlier, and less somewhere; one that
// only looks may change nothing.
func TestLessIsAskedForLess(t *testing.T) {
	var before []authorizationv1.ResourceAttributes
	for i, kind := range kinds()[1:] {
		asked := attributes(Permissions(kind))
		for _, a := range asked {
			if i > 0 && !slices.Contains(before, a) {
				t.Errorf("%+v asks for more: %s", kind, named(a))
			}
			reads := slices.Contains([]string{"get", "list", "watch"}, a.Verb) || slices.Contains([]string{"exec", "portforward"}, a.Subresource) || a.Resource == "subjectaccessreviews"
			if kind.ReadOnly && !reads {
				t.Errorf("a look may %s", named(a))
			}
		}
		if i > 0 && len(asked) >= len(before) {
			t.Errorf("%+v asks for as much as the one before it", kind)
		}
		before = asked
	}
}

// TestTheRolesAllowWhatIsAskedAndNothingElse goes both ways: what preflight asks for is in the roles, and every verb of the
// roles on every resource is asked for.
func TestTheRolesAllowWhatIsAskedAndNothingElse(t *testing.T) {
	more := []Asked{{PullSecret: true}, {Disruptive: true, PullSecret: true}, {Asmcli: true}, {From: intent.FromInstall, Disruptive: true}}
	for _, kind := range append(kinds(), more...) {
		all, asked := roles(t, kind), attributes(Permissions(kind))
		for _, a := range asked {
			if !slices.ContainsFunc(all, func(role rbacv1.Role) bool {
				return (role.Namespace == "" || role.Namespace == a.Namespace) && slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return allows(r, a) })
			}) {
				t.Errorf("no role allows to %s", named(a))
			}
		}
		for _, role := range all {
			for _, r := range role.Rules {
				for _, resource := range r.Resources {
					for _, verb := range r.Verbs {
						one := rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: []string{resource}, Verbs: []string{verb}}
						if !slices.ContainsFunc(asked, func(a authorizationv1.ResourceAttributes) bool {
							return (role.Namespace == "" && a.Namespace != "istio-system" || role.Namespace == a.Namespace) && allows(one, a)
						}) {
							t.Errorf("%s %q allows to %s %s, which nothing does", role.Kind, role.Namespace, verb, resource)
						}
					}
				}
			}
		}
	}
}

// TestAnInstallationIsAskedForMore: a run that brings the control planes needs what others need, and what makes and removes them, none of
// it from a Role in the namespace that it makes.
func TestAnInstallationIsAskedForMore(t *testing.T) {
	asked := attributes(Permissions(Asked{From: intent.FromInstall}))
	for _, a := range attributes(Permissions(Asked{})) {
		wide := a
		wide.Namespace = ""
		if !slices.Contains(asked, a) && !slices.Contains(asked, wide) {
			t.Errorf("it is not asked to %s", named(a))
		}
	}
	for _, want := range []string{
		"create customresourcedefinitions.apiextensions.k8s.io", "delete customresourcedefinitions.apiextensions.k8s.io", "escalate clusterroles.rbac.authorization.k8s.io",
		"bind clusterroles.rbac.authorization.k8s.io", "delete mutatingwebhookconfigurations.admissionregistration.k8s.io", "delete configmaps", "list wasmplugins.extensions.istio.io", "list *.*",
	} {
		if !slices.ContainsFunc(asked, func(a authorizationv1.ResourceAttributes) bool { return named(a) == want }) {
			t.Errorf("it is not asked to %s", want)
		}
	}
	for _, r := range roles(t, Asked{From: intent.FromInstall}) {
		if r.Namespace == "istio-system" {
			t.Errorf("a Role in a namespace that is not there yet: %+v", r)
		}
	}
}

func TestWhereAPermissionIsGranted(t *testing.T) {
	for _, tc := range []struct{ in, role, want string }{
		{"", "", "yes"}, {"", "istio-system", ""}, {"istio-system", "", ""}, {"istio-system", "istio-system", "yes"}, {"default", "", ""},
		{"meshproof", "", "yes"}, {"meshproof", "istio-system", ""},
	} {
		p := Permission{}
		if tc.in != "" {
			p.Namespaces = []string{tc.in}
		}
		if p.in(tc.role) != (tc.want == "yes") {
			t.Errorf("a permission in %q is in the role for %q: %t", tc.in, tc.role, p.in(tc.role))
		}
	}
}

func TestNamed(t *testing.T) {
	for want, a := range map[string]authorizationv1.ResourceAttributes{
		"create pods/exec in sample":                      {Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "sample"},
		"patch deployments.apps in sample":                {Verb: "patch", Resource: "deployments", Group: "apps", Namespace: "sample"},
		"get deployments.apps/scale in sample":            {Verb: "get", Resource: "deployments", Subresource: "scale", Group: "apps", Namespace: "sample"},
		"delete namespaces":                               {Verb: "delete", Resource: "namespaces"},
		"list endpointslices.discovery.k8s.io in default": {Verb: "list", Resource: "endpointslices", Group: "discovery.k8s.io", Namespace: "default"},
	} {
		if got := named(a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestRolesOfAnotherNamespace: nothing is asked for in the guide's, and the same as there elsewhere.
func TestRolesOfAnotherNamespace(t *testing.T) {
	for _, kind := range append(kinds(), Asked{Disruptive: true, PullSecret: true}, Asked{From: intent.FromInstall, PullSecret: true}) {
		was := attributes(Permissions(kind))
		kind.Namespace = "ours"
		is := attributes(Permissions(kind))
		for i, a := range is {
			if a.Namespace == intent.GuideNamespace {
				t.Errorf("%+v asks in the guide's namespace: %s", kind, named(a))
			}
			if a.Namespace == "ours" {
				is[i].Namespace = intent.GuideNamespace
			}
		}
		if !slices.Equal(was, is) {
			t.Errorf("%+v asks for something else:\n%v\nwant\n%v", kind, is, was)
		}
		text, err := Roles(kind)
		if err != nil || !strings.HasPrefix(string(text), "# The ClusterRole holds also what is done in: ours") {
			t.Errorf("%+v: %v, %.80s", kind, err, text)
		}
	}
}

func TestTheDocumentIsUpToDate(t *testing.T) {
	want, err := Document("")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/rbac.md is not what the list gives: make it anew with meshproof rbac --markdown > docs/rbac.md")
	}
}
