package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
)

func TestParseLog(t *testing.T) {
	second := func(s int) time.Time { return time.Date(2026, 9, 1, 10, 0, s, 0, time.UTC) }
	for name, tc := range map[string]struct {
		text string
		want []evidence.LoggedLine
	}{
		"information": {"2026-09-01T10:00:01Z\tinfo\tall is well\n2026/09/01 10:00:01 INFO GOMEMLIMIT is updated\n", []evidence.LoggedLine{}},
		"a scope, values and the same again": {
			"2026-09-01T10:00:01Z\terror\tcontrollers\tno x\tname=a b\n2026-09-01T10:00:03Z\terror\tcontrollers\tno x\tname=c\n",
			[]evidence.LoggedLine{{Level: "error", Scope: "controllers", Message: "no x", Count: 2, First: second(1), Last: second(3)}},
		},
		"no scope": {"2026-09-01T10:00:01Z\twarn\tslow startup task\tname=kube client runtime=2s\n",
			[]evidence.LoggedLine{{Level: "warn", Message: "slow startup task", Count: 1, First: second(1), Last: second(1)}}},
		"Go's own": {"2026/09/01 10:00:01 WARN no cgroup package=x\n", []evidence.LoggedLine{{Level: "warn", Message: "no cgroup package: *", Count: 1}}},
		"JSON": {`{"level":"warn","time":"2026-09-01T10:00:02Z","scope":"ads","msg":"late","token":"x"}` + "\n" + `{"level":"info","msg":"x"}` + "\n" + `{"a":1}`,
			[]evidence.LoggedLine{{Level: "warn", Scope: "ads", Message: "late", Count: 1, First: second(2), Last: second(2)}}},
		"a panic": {
			"panic: runtime error: index out of range [5] with length 3\n\ngoroutine 7 [running]:\nistio.io/istio/pilot/pkg/xds.(*Server).push(0xc000, {0x1, 0x2})\n\t/w/x.go:5 +0x1\nmain.main()\n\t/w/main.go:1\n",
			[]evidence.LoggedLine{{Level: "panic", Message: "panic: runtime error: index out of range [5] with length 3", Count: 1, Stack: []string{"istio.io/istio/pilot/pkg/xds.(*Server).push", "main.main"}}},
		},
		"a panic that was caught": {"2026-09-01T10:00:01Z\terror\tklog\tObserved a panic\tpanic=x\n",
			[]evidence.LoggedLine{{Level: "panic", Scope: "klog", Message: "Observed a panic", Count: 1, First: second(1), Last: second(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseLog([]byte(tc.text)).Lines; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestLogBounds(t *testing.T) {
	word := func(n int) string { // one that stays
		return string(rune('a'+n/676)) + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
	}
	var text strings.Builder
	for n := range maxKeptLines + 5 {
		fmt.Fprintf(&text, "2026-09-01T10:00:01Z\twarn\t%s\n", word(n))
	}
	text.WriteString("panic: late\n")
	log := parseLog([]byte(text.String()))
	if len(log.Lines) != maxKeptLines+1 || log.Left != 5 || log.Cut || log.Read != maxKeptLines+6 {
		t.Errorf("%d lines kept, %d left, cut %t, %d read", len(log.Lines), log.Left, log.Cut, log.Read)
	}
	if long := parseLog([]byte(strings.Repeat("x\n", maxLogLines))); !long.Cut {
		t.Error("nobody is told that the log was longer")
	}
}

func TestRedact(t *testing.T) {
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
	for message, want := range map[string]string{
		"webhook is not ready, retry": "webhook is not ready, retry",
		"error handling istio-validator-asm-1232-2-istio-system, retrying (retry count: 1)": "error handling istio-validator-asm-1232-2-istio-system, retrying (retry count: 1)",
		`Operation on x.admissionregistration.k8s.io "a-name": the object was modified`:     "Operation on x.admissionregistration.k8s.io *: the object was modified",
		"dial tcp 10.9.9.9:6443: connect: connection refused":                               "dial tcp 10.9.9.9:6443: connect: connection refused",
		"cannot unmarshal !!str `hunter` into v1":                                           "cannot unmarshal * * into v1",
		"it's late, isn't it":                          "it's late, isn't it",
		"got 'hunter' there":                           "got * there",
		"Authorization: Bearer hunter":                 "Authorization: Bearer *",
		"sent bearer hunter":                           "sent bearer *",
		"password=hunter more":                         "password * more",
		"field=value, other=[x]":                       "field: *, other: *]",
		"token " + jwt:                                 "token *",
		"got " + jwt:                                   "got *.*.*",
		"key c3VwZXItc2VjcmV0LXZhbHVlLTEyMw== is read": "key *: * is read",
		"user " + canary + " is unknown":               "user canary-* is unknown",
		"read /var/run/secrets/istio":                  "read /var/run/secrets/istio",
	} {
		if got := redact(message); got != want {
			t.Errorf("%q\ngives %q\nwant  %q", message, got, want)
		}
	}
	if got := redact(strings.Repeat("wörd ", 100)); len(got) > maxMessage || !strings.HasSuffix(strings.ToValidUTF8(got, "#"), "d ") && strings.Contains(strings.ToValidUTF8(got, "#"), "#") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// TestNoSecretOfALog puts the canary, as people and programs write secrets, into a log, and looks into what is saved.
func TestNoSecretOfALog(t *testing.T) {
	api := fullAPI()
	api.objects["/api/v1/namespaces/istio-system/pods/istiod-a/log"] = strings.Join([]string{
		"2026-09-01T10:00:01Z\terror\tkube\tunmarshal: " + canary + ": no such key\ttoken=" + canary,
		"2026-09-01T10:00:01Z\twarn\theader " + canary + "=" + canary + " and 'x" + canary + "' and \"" + canary + "\" and `" + canary + "`",
		`{"level":"warn","msg":"token ` + canary + `","` + canary + `":1}`, "panic: " + canary, "main.f(" + canary + ")",
	}, "\n")
	s := open(t, api, nil)
	logs, err := s.logs(t.Context(), Options{Since: time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)}.withDefaults())
	if err != nil || len(logs) != 2 || len(logs[0].Lines) != 4 || logs[0].Pod != "istiod-a" || logs[0].Since.IsZero() {
		t.Fatalf("logs %+v, error %v", logs, err)
	}
	checkNoCanary(t, &evidence.Cluster{Logs: logs, Kubernetes: &evidence.Kubernetes{}, Dials: []evidence.Dial{}, Problems: []evidence.Problem{}, Handshakes: []evidence.Handshake{}})
}

func TestLogsOfARestartedReplica(t *testing.T) {
	api := fullAPI()
	pod := strings.Replace(podJSON("istio-system", "istiod-a", "app=istiod", "discovery"), `"restartCount":2`, `"restartCount":%d`, 1)
	for restarts, want := range map[int]int{0: 1, 1: 2} {
		api.objects["/api/v1/namespaces/istio-system/pods"] = list(fmt.Sprintf(pod, restarts))
		logs, err := open(t, api, nil).logs(t.Context(), Options{}.withDefaults())
		if err != nil || len(logs) != want || logs[want-1].Previous != (want == 2) {
			t.Errorf("%d restarts: logs %+v, error %v", restarts, logs, err)
		}
	}
	delete(api.objects, "/api/v1/namespaces/istio-system/pods/istiod-a/log")
	if logs, err := open(t, api, nil).logs(t.Context(), Options{}.withDefaults()); logs != nil || err == nil || !strings.Contains(err.Error(), "read the log of istiod istio-system/istiod-a") {
		t.Errorf("logs %+v, error %v", logs, err)
	}
}

// recordedLog are lines of istiod on two kind clusters, as they were written; the claims are judged over what is kept of them.
const recordedLog, keptLog = "testdata/istiod.log", "../claim/testdata/istiod-log.json"

func TestRecordedLog(t *testing.T) {
	text, err := os.ReadFile(recordedLog)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(parseLog(text), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(keptLog)
	if err != nil || !bytes.Equal(append(got, '\n'), want) {
		t.Errorf("of %s is kept\n%s\nand %s holds\n%s\n(error %v)", recordedLog, got, keptLog, want, err)
	}
}
