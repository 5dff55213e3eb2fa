package procedure

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
)

// remote puts a remote secret on the cluster on, which knows what is at the server by that name.
func (r *rig) remote(on, name, server string) {
	r.t.Helper()
	kubeconfig := fmt.Sprintf(`{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"x"}}],"clusters":[{"name":"x","cluster":{"server":%q}}]}`, server)
	r.servers[on].Put(r.t, secretsPath+"of-"+name, fmt.Sprintf(
		"{metadata: {name: of-%[1]s, namespace: istio-system, labels: {istio/multiCluster: 'true'}, annotations: {networking.istio.io/cluster: %[1]s}}, data: {%[1]s: %[2]s}}",
		name, base64.StdEncoding.EncodeToString([]byte(kubeconfig))))
}

const slicePath = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"

// TestRemoteNames: a name that is known is kept; any other must lead to the peer, and to it alone.
func TestRemoteNames(t *testing.T) {
	const away, inside = "https://unrelated.example", "https://10.0.0.7:6443"
	for name, tc := range map[string]struct {
		secrets map[string]string // the server by the name; "" = west's own
		want    string
	}{
		"asmcli's":                       {map[string]string{"ctx-west": "", "north": ""}, "ctx-west"},
		"the mesh's":                     {map[string]string{"north": "", "cn-fleet-global-west": ""}, "cn-fleet-global-west"},
		"somebody's own":                 {map[string]string{"blue": ""}, "blue"},
		"as the cluster itself finds it": {map[string]string{"blue": inside}, "blue"},
		"beside another":                 {map[string]string{"blue": "", "green": away}, "blue"},
		"another's alone":                {map[string]string{"unrelated": away}, "ctx-west"},
		"one of this mesh":               {map[string]string{"cn-fleet-global-east": ""}, "ctx-west"},
		"two lead there":                 {map[string]string{"blue": "", "green": ""}, "ctx-west"},
		"none":                           {nil, "ctx-west"},
	} {
		t.Run(name, func(t *testing.T) {
			r := suppliedRig(t, &notes{})
			r.servers["west"].Put(t, slicePath, "{metadata: {name: kubernetes, labels: {kubernetes.io/service-name: kubernetes}}, ports: [{port: 6443}], endpoints: [{addresses: [10.0.0.7]}]}")
			for secret, server := range tc.secrets {
				if server == "" {
					server = r.set[1].Server()
				}
				r.remote("east", secret, server)
			}
			in := r.p.o.Intent
			in.Clusters[0].RemoteName, in.Clusters[1].RemoteName = "ctx-east", "ctx-west"
			got, err := RemoteNames(t.Context(), r.set, in)
			if err != nil || got[1].RemoteName != tc.want || got[0].RemoteName != "ctx-east" {
				t.Errorf("%+v, %v, want %s", got, err, tc.want)
			}
		})
	}
}

// TestRemoteNamesOfThree: one secret of another's on the third cluster is the name of neither of the other two.
func TestRemoteNamesOfThree(t *testing.T) {
	r := newRigOf(t, []string{"a", "b", "c"}, nil)
	in := r.p.o.Intent
	for i, c := range r.set {
		in.Clusters[i].RemoteName = "ctx-" + c.Name
	}
	r.remote("a", "custom-c", r.set[2].Server())
	got, err := RemoteNames(t.Context(), r.set, in)
	if err != nil || got[0].RemoteName != "ctx-a" || got[1].RemoteName != "ctx-b" || got[2].RemoteName != "custom-c" {
		t.Errorf("%+v, %v", got, err)
	}
	r.servers["a"].Fail(http.MethodGet, secretsPath[:len(secretsPath)-1], http.StatusForbidden)
	if _, err := RemoteNames(t.Context(), r.set, in); err == nil {
		t.Error("what could not be looked at counts as absent")
	}
}
