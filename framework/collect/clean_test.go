package collect

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func certPEM(body string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(body)}))
}

// trusting is the section on secrets of a proxy that holds these roots, each as NAME=PEM, in this order.
func trusting(roots ...string) json.RawMessage {
	var all []string
	for _, r := range roots {
		name, text, _ := strings.Cut(r, "=")
		all = append(all, fmt.Sprintf(`{"name":%q,"secret":{"validation_context":{"trusted_ca":{"inline_bytes":%q}}}}`, name, base64.StdEncoding.EncodeToString([]byte(text))))
	}
	return json.RawMessage(`{"dynamic_active_secrets":[` + strings.Join(all, ",") + `]}`)
}

// TestTrustedRoot: Envoy lists what it holds in no order, and a DestinationRule or ServiceEntry with TLS of its own adds roots.
func TestTrustedRoot(t *testing.T) {
	own, bundle, other := certPEM("root"), certPEM("a public root"), certPEM("of a rule")
	for name, tc := range map[string]struct {
		roots []string
		want  string
	}{
		"the mesh's alone":               {[]string{"ROOTCA=" + own}, rootSum()},
		"the system's bundle before it":  {[]string{"file-root:system=" + bundle, "ROOTCA=" + own}, rootSum()},
		"a rule's file before it":        {[]string{"file-root:/etc/ca.pem=" + other, "ROOTCA=" + own}, rootSum()},
		"a file in its place":            {[]string{"file-root:/etc/certs/root.pem=" + own}, rootSum()},
		"the bundle and a file":          {[]string{"file-root:system=" + bundle, "file-root:/etc/certs/root.pem=" + own}, rootSum()},
		"the bundle alone":               {[]string{"file-root:system=" + bundle}, ""},
		"two files, one of a rule":       {[]string{"file-root:/etc/ca.pem=" + other, "file-root:/etc/certs/root.pem=" + own}, ""},
		"two files with one certificate": {[]string{"file-root:/a=" + own, "file-root:/b=" + own}, rootSum()},
	} {
		if got, err := trustedRoot(trusting(tc.roots...)); err != nil || got.set != tc.want {
			t.Errorf("%s: %q, error %v, want %q", name, got.set, err, tc.want)
		}
	}
}

// TestRootsAreASet: while roots are rotated there are two; config map and file have them in one order, the agent in another.
func TestRootsAreASet(t *testing.T) {
	older, newer := certPEM("older"), certPEM("newer")
	both := RootDigest([]byte(older + newer))
	for name, text := range map[string]string{"in the other order": newer + older, "one of them twice": older + newer + older,
		"in base64 once more": base64.StdEncoding.EncodeToString([]byte(newer + older)), "with words between": "# new\n" + newer + "\n# old\n" + older} {
		if got := RootDigest([]byte(text)); got != both {
			t.Errorf("%s: %s, want %s", name, got, both)
		}
	}
	if one := RootDigest([]byte(older)); one == both || one != RootDigest([]byte(older+older)) || len(both) != 64 || both == RootDigest([]byte(newer)) {
		t.Errorf("older alone %s, both %s", one, both)
	}
	each := []string{RootDigest([]byte(older)), RootDigest([]byte(newer))}
	slices.Sort(each)
	if got := rootsIn([]byte(newer + older + newer)); !slices.Equal(got.each, each) {
		t.Errorf("each of them: %q, want %q", got.each, each)
	}
	for _, none := range []string{"", "no certificate", "bm8gY2VydGlmaWNhdGU="} {
		if got := rootsIn([]byte(none)); got.set != "" || got.each != nil {
			t.Errorf("%q has the digests %+v", none, got)
		}
	}
}
