package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/images/source"
	"github.com/meshproof/meshproof/framework/preflight"
)

func example(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/ci/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64", "x86"} {
		if bytes.Contains(text, []byte(arch)) {
			t.Errorf("%s names the architecture %s", file, arch)
		}
	}
	return text
}

// callsTheSuite checks a container's image and that its script calls what there is, once with run, and gives the script.
func callsTheSuite(t *testing.T, c corev1.Container) string {
	t.Helper()
	if want := strings.TrimPrefix(source.SuiteRef("TAG", "ARCH"), source.Host); !strings.HasSuffix(c.Image, want) {
		t.Errorf("image %s is not one that ends with %s", c.Image, want)
	}
	if len(c.Args) != 1 || !slices.Equal(c.Command, []string{"bash", "-c"}) {
		t.Fatalf("command %v with %d arguments", c.Command, len(c.Args))
	}
	commands, err := words(c.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, one := range commands {
		if ours, err := called(nil, one); err != nil {
			t.Error(err)
		} else if ours && len(one) > 1 && one[1] == "run" {
			runs++
		}
	}
	if runs != 1 {
		t.Errorf("the script calls meshproof run %d times", runs)
	}
	return c.Args[0]
}

// mountsAll checks that every volume that is mounted is there, but for those that others bring.
func mountsAll(t *testing.T, c corev1.Container, volumes []corev1.Volume, brought ...string) {
	t.Helper()
	for _, m := range c.VolumeMounts {
		if !slices.Contains(brought, m.Name) && !slices.ContainsFunc(volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
			t.Errorf("volume %s is mounted and not there", m.Name)
		}
	}
	if s := c.SecurityContext; s == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem {
		t.Errorf("container %s may do more than it needs: %+v", c.Name, s)
	}
}

func TestTheJobIsWhole(t *testing.T) {
	text := example(t, "job.yaml")
	roles, err := preflight.Roles(preflight.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, roles) {
		t.Error("docs/ci/job.yaml does not hold the roles that meshproof rbac prints: put them in anew")
	}
	bound := map[string]string{}
	var job batchv1.Job
	for _, document := range regexp.MustCompile(`(?m)^---\n`).Split(string(text), -1) {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatal(err)
		}
		var binding rbacv1.RoleBinding
		to, known := map[string]any{"Namespace": &corev1.Namespace{}, "ServiceAccount": &corev1.ServiceAccount{}, "ClusterRole": &rbacv1.ClusterRole{},
			"Role": &rbacv1.Role{}, "ClusterRoleBinding": &binding, "RoleBinding": &binding, "Job": &job}[kind.Kind]
		if !known {
			t.Fatalf("a %s is there", kind.Kind)
		}
		if err := yaml.UnmarshalStrict([]byte(document), to); err != nil {
			t.Errorf("%s: %v", kind.Kind, err)
		}
		if binding.Name != "" {
			bound[binding.Namespace] = binding.RoleRef.Kind + " " + binding.RoleRef.Name + " to " + binding.Subjects[0].Name
		}
	}
	for namespace, role := range map[string]string{"": "ClusterRole", "istio-system": "Role", "default": "Role"} {
		if want := role + " " + preflight.RoleName + " to " + job.Spec.Template.Spec.ServiceAccountName; bound[namespace] != want {
			t.Errorf("in namespace %q %q is bound, want %q", namespace, bound[namespace], want)
		}
	}
	pod := job.Spec.Template.Spec
	if *job.Spec.BackoffLimit != 0 || pod.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("the Job tries again: that would hide what the first try found")
	}
	callsTheSuite(t, pod.Containers[0])
	mountsAll(t, pod.Containers[0], pod.Volumes)
}

func TestThePluginIsWhole(t *testing.T) {
	var plugin struct {
		PodSpec corev1.PodSpec    `json:"podSpec"`
		Config  map[string]string `json:"sonobuoy-config"`
		Spec    corev1.Container  `json:"spec"`
	}
	if err := yaml.UnmarshalStrict(example(t, "sonobuoy.yaml"), &plugin); err != nil {
		t.Fatal(err)
	}
	if plugin.Config["driver"] != "Job" || plugin.Config["result-format"] != "junit" || plugin.Config["plugin-name"] != "meshproof" {
		t.Errorf("configuration %v", plugin.Config)
	}
	if script := callsTheSuite(t, plugin.Spec); !strings.Contains(script, `>"$results/done"`) {
		t.Error("the plugin never tells Sonobuoy that it is done")
	}
	mountsAll(t, plugin.Spec, plugin.PodSpec.Volumes, "results")
}
