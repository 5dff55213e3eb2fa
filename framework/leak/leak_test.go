package leak

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

const secret = "p?ssw>rd:canary~5e1f0a"

func TestSearchFindsEveryEncoding(t *testing.T) {
	std, web := base64.StdEncoding, base64.URLEncoding
	for name, tc := range map[string]struct{ text, encoding string }{
		"plain":                    {"token: " + secret + "\n", "plain"},
		"base64":                   {std.EncodeToString([]byte(secret)), "base64"},
		"base64 at the second":     {std.EncodeToString([]byte("{" + secret + "}")), "base64"},
		"base64 at the third":      {std.EncodeToString([]byte("{\"" + secret + "\"}")), "base64"},
		"base64 of URLs":           {web.EncodeToString([]byte("ab" + secret + "c")), "base64"},
		"a kubeconfig in a secret": {std.EncodeToString([]byte("token: " + std.EncodeToString([]byte("x"+secret+"y")) + "\n")), "base64 twice"},
		"hex":                      {hex.EncodeToString([]byte("a" + secret)), "hex"},
		"URL":                      {"https://x/?token=" + url.QueryEscape(secret), "URL"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "deep", "file.json"), []byte(tc.text))
			write(t, filepath.Join(dir, "clean.json"), []byte(`{"token":"p?ssw>rd"}`))
			found, files, err := Search(dir, map[string]string{"the token": secret, "another": "something else"})
			want := Leak{File: filepath.Join("deep", "file.json"), Secret: "the token", Encoding: tc.encoding}
			if err != nil || files != 2 || len(found) != 1 || found[0] != want {
				t.Errorf("found %+v in %d files, error %v, want %+v", found, files, err, want)
			}
		})
	}
}

func TestSearchUnpacks(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("log: " + secret))
	_ = w.Close()
	write(t, filepath.Join(dir, "istiod.log.gz"), packed.Bytes())
	if found, _, err := Search(dir, map[string]string{"x": secret}); err != nil || len(found) != 1 || found[0].Encoding != "plain" {
		t.Errorf("found %+v, error %v", found, err)
	}
	write(t, filepath.Join(dir, "broken.gz"), packed.Bytes()[:20])
	if _, _, err := Search(dir, nil); err == nil {
		t.Error("a file that cannot be unpacked is no error")
	}
	if _, _, err := Search(filepath.Join(dir, "missing"), nil); err == nil {
		t.Error("a directory that is not there is no error")
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
