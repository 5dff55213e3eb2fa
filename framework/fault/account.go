package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/poll"
)

const (
	// reader is the account as which the other clusters' istiods read (istio's base chart).
	reader = "istio-reader-service-account"
	// readerToken is the name that istioctl create-remote-secret gives to the secret with its token.
	readerToken = reader + "-istio-remote-secret-token"
)

// deletedAccount: istiod has read west, and is shut out since; clusterz goes on to call it synced. An account that all
// revisions share goes this way when one of them is removed by its label.
func deletedAccount() Fault {
	return Fault{
		ID: "remote-account-deleted", Sentence: "the account behind east's remote secret for west is deleted, and helloworld on west comes back after it",
		Verdict: claim.Failed, Cause: "remote-secret-no-permission",
		Break: func(ctx context.Context, r *Rig) error {
			cut, err := resetToAPIServer(r)
			if err != nil {
				return err
			}
			if err := errors.Join(r.saveSecret(ctx), r.saveAccount(ctx), r.scale(ctx, r.west(), 0), r.holds(ctx, false)); err != nil {
				return err
			}
			// A watch that lives is not asked for its account again: so the connections are reset, too.
			err = errors.Join(r.in(ctx, r.west(), system, "delete serviceaccount "+reader), r.filter(ctx, r.east(), "FORWARD", cut), r.reset(ctx))
			if err != nil {
				return err
			}
			return errors.Join(r.unfilter(ctx, r.east(), "FORWARD", cut), r.complained(ctx, "Unauthorized"), r.comesBack(ctx, r.west()))
		},
		Repair: func(ctx context.Context, r *Rig) error {
			cut, err := resetToAPIServer(r)
			if err != nil {
				return err
			}
			return errors.Join(r.unfilter(ctx, r.east(), "FORWARD", cut), r.comesBack(ctx, r.west()), r.newAccount(ctx), repairSecret(ctx, r))
		},
	}
}

// resetToAPIServer ends connections with the first word that is said on them.
func resetToAPIServer(r *Rig) (string, error) {
	rule, err := toAPIServer(r)
	return strings.Replace(rule, "-p tcp ", "-p tcp ! --syn ", 1) + " --reject-with tcp-reset", err
}

// reset waits until the rule has met a packet: istiod has one connection to an API server, on which it asks for a sign of life
// after 30 s of silence (HTTP/2's ping in client-go).
func (r *Rig) reset(ctx context.Context) error {
	const met = "iptables -w -nvxL FORWARD | awk '/dpt:6443.*tcp-reset/ && $1 > 0 {met=1} END {exit !met}'"
	return r.becomes(ctx, r.east(), "istiod's connection to west's API server is reset", true, func(ctx context.Context) (bool, error) {
		return r.node(ctx, r.east(), "sh", "-c", met) == nil, nil
	})
}

func (r *Rig) saveAccount(ctx context.Context) error {
	a, err := r.west().Kube().CoreV1().ServiceAccounts(system).Get(ctx, reader, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read the account %s on cluster %s: %w", reader, r.west().Name, err)
	}
	r.account = a
	return nil
}

// newAccount makes the account on west anew when it is gone, and puts its token into the secret that is kept as the good one.
func (r *Rig) newAccount(ctx context.Context) error {
	if r.account == nil {
		return nil // it was not touched
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: reader, Labels: r.account.Labels, Annotations: r.account.Annotations}}
	if _, err := r.west().Kube().CoreV1().ServiceAccounts(system).Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the account %s on cluster %s anew: %w", reader, r.west().Name, err)
	}
	if err := r.apply(ctx, r.west(), tokenOfReader); err != nil {
		return err
	}
	token, err := r.tokenOf(ctx, readerToken)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rewrite(r.saved["remote"], func(_ *Rig, k *clientcmdapi.Config) error { return withToken(k, token) })
}

// tokenOf waits until the API server of west has put a token into a secret.
func (r *Rig) tokenOf(ctx context.Context, secret string) (token string, err error) {
	w := poll.Wait{What: "the secret " + secret + " holds a token", Where: "cluster " + r.west().Name, Limit: r.limits().Notice}
	err = poll.Until(ctx, w, func(ctx context.Context) (string, error) {
		s, err := r.west().Kube().CoreV1().Secrets(system).Get(ctx, secret, metav1.GetOptions{})
		if err == nil && len(s.Data[corev1.ServiceAccountTokenKey]) == 0 {
			err = errors.New("not yet")
		}
		if err != nil {
			return "", err
		}
		token = string(s.Data[corev1.ServiceAccountTokenKey])
		return "", nil
	})
	return token, err
}

const tokenOfReader = `apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: ` + readerToken + `
  namespace: ` + system + `
  annotations: {kubernetes.io/service-account.name: ` + reader + `}
`
