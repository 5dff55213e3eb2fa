package traffic

import (
	"strings"
	"testing"
)

// Lines as the probe wrote them on a kind cluster.
const (
	answered  = `{"at":"2026-11-25T07:00:01.05Z","seconds":0.0021,"code":200,"body":"Hello version: v2, instance: helloworld-v2-5b6cf7c7d9-x2k4p\n"}` + "\n"
	earlier   = `{"at":"2026-11-25T07:00:01Z","seconds":0.9,"code":200,"body":"Hello version: v1, instance: helloworld-v1-6f9b7d5c5d-abcde\n"}` + "\n"
	refused   = `{"at":"2026-11-25T07:00:01.1Z","seconds":0.001,"code":503,"body":"upstream connect error"}` + "\n"
	timed     = `{"at":"2026-11-25T07:00:01.15Z","seconds":2,"code":0,"error":"context deadline exceeded"}` + "\n"
	truncated = `{"at":"2026-11-25T07:0`
)

func TestParseLoad(t *testing.T) {
	requests, err := parseLoad(strings.NewReader(answered + earlier + refused + timed + truncated))
	if err != nil || len(requests) != 4 {
		t.Fatalf("%v: %+v", err, requests)
	}
	for i, want := range []struct {
		code           int
		version, error string
	}{{200, "v1", ""}, {200, "v2", ""}, {503, "", "upstream connect error"}, {0, "", "context deadline exceeded"}} {
		if got := requests[i]; got.Code != want.code || got.Version != want.version || got.Error != want.error {
			t.Errorf("request %d: %+v, want %+v", i, got, want)
		}
	}
	if got, err := parseLoad(strings.NewReader(answered + "panic: out of memory\n" + refused)); err == nil || len(got) != 1 {
		t.Errorf("a line in the middle that is no request: %v, %d requests", err, len(got))
	}
}
