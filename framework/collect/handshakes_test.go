package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/meshproof/meshproof/framework/evidence"
)

// fedCluster is a cluster whose probe takes what it is fed and answers with fixed lines.
type fedCluster struct {
	fakeCluster
	fed    *[]byte
	stdout string
}

func (f fedCluster) Feed(_ context.Context, stdin io.Reader, _, _, _ string, _ ...string) (stdout, stderr []byte, err error) {
	*f.fed, err = io.ReadAll(stdin)
	return []byte(f.stdout), nil, err
}

func TestHandshakes(t *testing.T) {
	api := fullAPI()
	api.objects["/api/v1/namespaces/meshproof/pods"] = list(strings.Replace(podJSON("meshproof", "probe-1", "app=probe", "probe"), `"ready":false`, `"ready":true`, 1))
	var fed []byte
	s := open(t, api, nil)
	s.reader = fedCluster{s.reader.(fakeCluster), &fed, `{"name":"0","connected":true,"phase":"read","error":"reset"}
{"name":"1","connected":true,"handshake":true,"peer":"spiffe://cluster.local/ns/sample/sa/default","code":200,"body":"Hello version: v2"}
`}
	o := Options{Probe: ProbeRef{Namespace: "meshproof", Selector: "app=probe"}, Attempts: func(cluster string) []Attempt {
		return []Attempt{{As: evidence.AsPlain, Plain: true, Host: cluster}, {As: evidence.AsMember, Certificate: "leaf", Key: canary, ALPN: []string{"istio"}}}
	}}
	made, err := s.handshakes(t.Context(), o, []Target{{To: "west", Address: "172.18.252.1:15443"}})
	if err != nil || len(made) != 2 {
		t.Fatalf("%v, %+v", err, made)
	}
	if h := made[1]; h.As != evidence.AsMember || h.To != "west" || h.Pod != "probe-1" || !h.Handshake || h.Code != 200 || h.Body != "Hello version: v2" {
		t.Errorf("%+v", h)
	}
	if h := made[0]; h.As != evidence.AsPlain || h.Handshake || h.Phase != "read" || h.Error != "reset" {
		t.Errorf("%+v", h)
	}
	if !bytes.Contains(fed, []byte(canary)) || !bytes.Contains(fed, []byte(`"name":"1","address":"172.18.252.1:15443"`)) || !bytes.Contains(fed, []byte(`"host":"east"`)) {
		t.Errorf("the probe was fed %s", fed)
	}
	kept, err := json.Marshal(made)
	if err != nil || bytes.Contains(kept, []byte(canary)) {
		t.Errorf("a key is in the evidence: %s (%v)", kept, err)
	}
}

func TestAnswers(t *testing.T) {
	asked := []evidence.Handshake{{As: "a"}, {As: "b"}}
	const first, second = `{"name":"0","code":200}` + "\n", `{"name":"1","code":503}` + "\n"
	for _, tc := range []struct {
		name, stdout string
		made         int
		says         string
	}{
		{"all", first + second, 2, ""},
		{"the stream breaks", first, 1, "1 of 2 answers came"},
		{"cut in the middle", first + `{"name":"1","co`, 1, "answer 2 of 2 cannot be read"},
		{"another order", second + first, 0, "answer 1 of 2 cannot be read"},
		{"nothing", "", 0, "0 of 2 answers came"},
		{"more than was asked", first + second + first, 2, ""},
	} {
		made, err := answers([]byte(tc.stdout), asked)
		if len(made) != tc.made || (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %d made, %v", tc.name, len(made), err)
		}
	}
}
