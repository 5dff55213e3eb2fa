package leak

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestCoreOfASecret(t *testing.T) {
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curveKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := x509.MarshalECPrivateKey(curveKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		value string
		line  int // of the text, that must come; -1 = none
		want  string
	}{
		"RSA":           {value: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), line: 24},
		"EC":            {value: block("EC PRIVATE KEY", curve), line: 1},
		"no key at all": {value: "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", line: -1},
		"certificate":   {value: block("CERTIFICATE", curve), line: -1},
		"kubeconfig":    {value: "users:\n- name: x\n  user:\n    token: abcdefghijklmnopqrstuvwxyz\n", line: -1, want: "abcdefghijklmnopqrstuvwxyz"},
		"token":         {value: "abcdefghijklmnopqrstuvwxyz", line: -1, want: "abcdefghijklmnopqrstuvwxyz"},
		"too short":     {value: "istio-system", line: -1},
		"several words": {value: "not a secret but a long sentence", line: -1},
	} {
		want := tc.want
		if tc.line >= 0 {
			want = strings.Split(tc.value, "\n")[tc.line]
		}
		if got := core(tc.value); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
