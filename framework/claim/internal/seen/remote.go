package seen

import (
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/meshproof/meshproof/framework/evidence"
)

// istioctl's names in a remote secret: its annotation, and the start of its own name.
const (
	ClusterAnnotation = "networking.istio.io/cluster"
	secretPrefix      = "istio-remote-secret-"
)

// SecretOf tells whether a remote secret is the one for a cluster of that name.
func SecretOf(secret evidence.Object, remoteName string) bool {
	if named := secret.Annotations[ClusterAnnotation]; named != "" {
		return named == remoteName
	}
	return secret.Name == OwnSecretName(remoteName)
}

// OwnSecretName is the name of the remote secret that istioctl makes for a cluster of that name.
func OwnSecretName(remoteName string) string { return secretPrefix + remoteName }

// Loopback tells whether a server's URL leads a pod to itself, or nowhere at all.
func Loopback(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// skew is how far the clocks of the looking machine and of the nodes may be apart.
const skew = time.Minute

// Invalid says in one sentence which certificate that an Envoy shows or trusts was not valid when it was looked at; "" when
// all were.
func Invalid(p evidence.Proxy, certs []evidence.Certificate) string {
	check := func(what string, from, until time.Time) string {
		switch {
		case from.After(p.At.Add(skew)):
			return fmt.Sprintf("%s is not valid before %s, and was looked at on %s", what, from.Format(time.RFC3339), p.At.Format(time.RFC3339))
		case until.Before(p.At.Add(-skew)):
			return fmt.Sprintf("%s was valid until %s, and was looked at on %s", what, until.Format(time.RFC3339), p.At.Format(time.RFC3339))
		}
		return ""
	}
	for _, c := range certs {
		if why := check("its certificate "+c.Serial, c.NotBefore, c.NotAfter); why != "" {
			return why
		}
		for _, r := range c.Roots {
			if why := check("the root "+r.Serial+" that it trusts", r.NotBefore, r.NotAfter); why != "" {
				return why
			}
		}
	}
	return ""
}
