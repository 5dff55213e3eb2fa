package asm

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meshproof/meshproof/framework/shell"
)

// passed are the caller's variables that the tools get, and no other: asmcli takes PROJECT_ID, CLUSTER_NAME, CA, PLATFORM,
// CONTEXT, OUTPUT_DIR, DRY_RUN and more from its environment, and with DRY_RUN ends well and does nothing.
func passed() []string {
	return []string{
		"HOME",                                           // gcloud's configuration and a login plugin's files are there
		"CLOUDSDK_CONFIG", "CLOUDSDK_ACTIVE_CONFIG_NAME", // where gcloud's configuration is instead, and which one counts
		"CLOUDSDK_PYTHON",                                    // the interpreter with which gcloud runs
		"TMPDIR",                                             // asmcli keeps its state in a temporary file
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", // the way to Google's API; they may hold a password, and are
		"http_proxy", "https_proxy", "no_proxy", "all_proxy", // recorded nowhere
	}
}

// environment is everything that a tool inherits: what is passed of the caller's, and the run's own variables. The directories
// stand before the caller's PATH, which may hold another gcloud.
func (d *Driver) environment(own []string, directories ...string) []string {
	path := strings.Join(append(directories, os.Getenv("PATH")), string(filepath.ListSeparator))
	env := []string{"PATH=" + path, "LANG=C.UTF-8"}
	for _, name := range passed() {
		if value, there := os.LookupEnv(name); there {
			env = append(env, name+"="+value)
		}
	}
	return append(env, own...)
}

// tokens are what a remote secret or a kubeconfig may hold: JSON web tokens, plain and in base64, access tokens of Google's API, those of
// EKS, PEM, plain and in base64, and any private key of a kubeconfig.
var tokens = regexp.MustCompile(strings.Join([]string{
	`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+){1,2}`, `ZXlK[A-Za-z0-9+/_-]{16,}=*`, `ya29\.[A-Za-z0-9_.-]+`, `k8s-aws-v1\.[A-Za-z0-9_=-]+`,
	`(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\z)`, `LS0tLS1CRUdJTi[A-Za-z0-9+/_-]*=*`, `client-key-data["']?:\s*["']?[A-Za-z0-9+/_-]+=*`,
}, "|"))

const aToken = "[a token]"

// WithoutTokens gives what a tool has printed, and the error that quotes it, as they may be kept. With -v asmcli prints its
// commands, and nobody has promised that none of them holds a token.
func WithoutTokens(r shell.Result, err error) (shell.Result, error) {
	r.Stdout, r.Stderr = tokens.ReplaceAllString(r.Stdout, aToken), tokens.ReplaceAllString(r.Stderr, aToken)
	if err != nil && tokens.MatchString(err.Error()) {
		err = errors.New(tokens.ReplaceAllString(err.Error(), aToken))
	}
	return r, err
}
