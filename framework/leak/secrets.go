package leak

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshproof/meshproof/framework/cluster"
)

// Secrets reads what is secret on clusters, by a name for each: private keys, tokens, passwords. What every client of the
// mesh is shown (certificates) is none. It is for clusters that the run made itself.
func Secrets(ctx context.Context, set cluster.Set) (map[string]string, error) {
	all := map[string]string{}
	for _, c := range set {
		list, err := c.Kube().CoreV1().Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("read the secrets of cluster %s: %w", c.Name, err)
		}
		for _, s := range list.Items {
			for key, value := range s.Data {
				if secret := core(string(value)); secret != "" {
					all[fmt.Sprintf("%s %s/%s %s", c.Name, s.Namespace, s.Name, key)] = secret
				}
			}
		}
	}
	return all, nil
}

// leastSecret is the length below which a value may stand anywhere by chance.
const leastSecret = 16

// core gives the part of a secret's value that is secret whole, in a form that may be searched for; "" when there is none: a
// line of a private key, the token of a kubeconfig, else the value itself.
func core(value string) string {
	if _, key, is := strings.Cut(value, "PRIVATE KEY-----\n"); is {
		body, _, _ := strings.Cut(key, "-----END")
		lines := strings.Fields(body)
		switch {
		case len(lines) == 0:
			return ""
		case len(lines) < 5:
			return lines[0] // of an elliptic curve: its number, and then the public key
		}
		return lines[len(lines)-2] // of RSA: its numbers, the public ones first
	}
	if len(value) < leastSecret || strings.ContainsAny(value, "\n ") { // a certificate is one of these
		return token(value)
	}
	return value
}

// token gives the token of the first user of a kubeconfig; "" when the text is none.
func token(text string) string {
	var config struct {
		Users []struct {
			User struct {
				Token string `json:"token"`
			} `json:"user"`
		} `json:"users"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil || len(config.Users) == 0 {
		return ""
	}
	return config.Users[0].User.Token
}
