package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshproof/meshproof/framework/claim"
)

// secrets are the faults in east's remote secret for west. A secret that is changed in place leaves what istiod has read
// before in force, so each is deleted and made anew; and a secret that istiod could not read may leave its controller
// stuck, so each repair restarts istiod.
func secrets() []Fault {
	bad := func(id, sentence, cause string, spoil func(*Rig, *clientcmdapi.Config) error) Fault {
		return Fault{
			ID: id, Sentence: sentence, Verdict: claim.Failed, Cause: cause,
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.replaceSecret(ctx, spoil), r.noticed(ctx, r.east(), r.remote(), "timeout"))
			},
			Repair: repairSecret,
		}
	}
	return []Fault{
		{
			ID: "remote-secret-missing", Sentence: "east's remote secret for west is deleted", Verdict: claim.Failed, Cause: "remote-secret-missing",
			Break: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.dropSecret(ctx), r.noticed(ctx, r.east(), r.remote(), ""))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.putSecret(ctx), r.noticed(ctx, r.east(), r.remote(), "synced"))
			},
		},
		{
			ID: "remote-secret-foreign", Sentence: "east holds a remote secret for a third cluster", Verdict: claim.Failed, Cause: "remote-secret-foreign",
			Break: func(ctx context.Context, r *Rig) error {
				if err := r.saveSecret(ctx); err != nil {
					return err
				}
				s := r.copyOf("third")
				s.Name, s.Data = secretPrefix+"third", map[string][]byte{"third": s.Data[r.remote()]}
				s.Annotations = map[string]string{"networking.istio.io/cluster": "third"}
				_, err := r.east().Kube().CoreV1().Secrets(system).Create(ctx, s, metav1.CreateOptions{})
				return errors.Join(err, r.noticed(ctx, r.east(), "third", "synced"))
			},
			Repair: func(ctx context.Context, r *Rig) error {
				return errors.Join(r.in(ctx, r.east(), system, "delete secret --ignore-not-found "+secretPrefix+"third"),
					r.noticed(ctx, r.east(), "third", ""))
			},
		},
		{
			ID: "remote-secret-unreadable", Sentence: "east's remote secret for west holds no kubeconfig", Verdict: claim.Failed, Cause: "remote-secret-unreadable",
			Break: func(ctx context.Context, r *Rig) error {
				if err := r.dropSecret(ctx); err != nil {
					return err
				}
				s := r.copyOf("unreadable")
				s.Data = map[string][]byte{r.remote(): []byte("this is no kubeconfig")}
				_, err := r.east().Kube().CoreV1().Secrets(system).Create(ctx, s, metav1.CreateOptions{})
				return errors.Join(err, r.noticed(ctx, r.east(), r.remote(), ""))
			},
			Repair: repairSecret,
		},
		bad("remote-secret-loopback", "east's remote secret for west points at 127.0.0.1", "remote-secret-loopback", func(_ *Rig, k *clientcmdapi.Config) error {
			return toServer(k, "https://127.0.0.1:6443")
		}),
		bad("remote-secret-wrong-address", "east's remote secret for west points at an address that nobody has", "remote-secret-wrong-address",
			func(r *Rig, k *clientcmdapi.Config) error {
				address, err := unused(r.west())
				return errors.Join(err, toServer(k, "https://"+address+":6443"))
			}),
		bad("remote-secret-untrusted", "east's remote secret for west holds another cluster's CA", "remote-secret-untrusted",
			func(r *Rig, k *clientcmdapi.Config) error {
				own, err := clientcmd.LoadFromFile(r.east().Kubeconfig)
				if err != nil {
					return fmt.Errorf("read the CA of cluster east: %w", err)
				}
				for _, c := range k.Clusters {
					for _, foreign := range own.Clusters {
						c.CertificateAuthorityData = foreign.CertificateAuthorityData
					}
				}
				return nil
			}),
		powerlessSecret(), deletedAccount(), unreachableServer(), wedgedController(),
	}
}

// powerlessSecret: istiod is let in, and may read nothing.
func powerlessSecret() Fault {
	return Fault{
		ID: "remote-secret-no-permission", Sentence: "east's remote secret for west holds the token of an account that may read nothing",
		Verdict: claim.Failed, Cause: "remote-secret-no-permission",
		Break: func(ctx context.Context, r *Rig) error {
			token, err := r.powerless(ctx)
			if err != nil {
				return err
			}
			err = r.replaceSecret(ctx, func(_ *Rig, k *clientcmdapi.Config) error {
				return withToken(k, token)
			})
			return errors.Join(err, r.noticed(ctx, r.east(), r.remote(), "timeout"))
		},
		Repair: func(ctx context.Context, r *Rig) error {
			return errors.Join(repairSecret(ctx, r), r.in(ctx, r.west(), r.sample(), "delete serviceaccount --ignore-not-found powerless"))
		},
	}
}

// unreachableServer: the secret is good, and the way is not.
func unreachableServer() Fault {
	return Fault{
		ID: "remote-secret-unreachable", Sentence: "east's pods cannot reach west's API server, which answers everybody else",
		Verdict: claim.Failed, Cause: "remote-secret-unreachable",
		Break: func(ctx context.Context, r *Rig) error {
			rule, err := toAPIServer(r)
			if err != nil {
				return err
			}
			return errors.Join(r.filter(ctx, r.east(), "FORWARD", rule), r.replaceSecret(ctx, nil), r.noticed(ctx, r.east(), r.remote(), "timeout"),
				r.complained(ctx, ""))
		},
		Repair: func(ctx context.Context, r *Rig) error {
			rule, err := toAPIServer(r)
			if err != nil {
				return err
			}
			return errors.Join(r.unfilter(ctx, r.east(), "FORWARD", rule), repairSecret(ctx, r))
		},
	}
}

// wedgedController: the secret is good in the end, and istiod does not look at it (symptoms of Istio 1.31, measured).
func wedgedController() Fault {
	return Fault{
		ID: "secret-controller-wedged", Sentence: "a remote secret that could not be read is mended, deleted and made anew, after which istiod takes none in",
		Verdict: claim.Failed, Cause: "secret-controller-wedged",
		Break: func(ctx context.Context, r *Rig) error {
			address, err := unused(r.west())
			if err != nil {
				return err
			}
			err = r.replaceSecret(ctx, func(_ *Rig, k *clientcmdapi.Config) error { return toServer(k, "https://"+address+":6443") })
			if err = errors.Join(err, r.noticed(ctx, r.east(), r.remote(), "timeout")); err != nil {
				return err
			}
			if err := errors.Join(r.updateSecret(ctx), r.noticed(ctx, r.east(), r.remote(), "synced")); err != nil {
				return err
			}
			return errors.Join(r.dropSecret(ctx), r.noticed(ctx, r.east(), r.remote(), ""), r.putSecret(ctx))
		},
		Repair: repairSecret,
	}
}

const secretPrefix = "istio-remote-secret-"

// remote is the name under which east knows west.
func (r *Rig) remote() string {
	member, _ := r.Intent.Cluster(r.west().Name)
	return member.RemoteName
}

func toServer(k *clientcmdapi.Config, server string) error {
	for _, c := range k.Clusters {
		c.Server = server
	}
	return nil
}

func withToken(k *clientcmdapi.Config, token string) error {
	for _, u := range k.AuthInfos {
		u.Token = token
	}
	return nil
}

func toAPIServer(r *Rig) (string, error) {
	address, err := nodeAddress(r.west())
	return "-p tcp -d " + address + " --dport 6443 -j REJECT", err
}

// saveSecret keeps the good secret, once.
func (r *Rig) saveSecret(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.saved["remote"] != nil {
		return nil
	}
	s, err := r.east().Kube().CoreV1().Secrets(system).Get(ctx, secretPrefix+r.remote(), metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read the remote secret for west on cluster %s: %w", r.east().Name, err)
	}
	if r.saved == nil {
		r.saved = map[string]*corev1.Secret{}
	}
	r.saved["remote"] = s
	return nil
}

// copyOf gives the good secret as one that can be made anew; why marks it, so that a person sees whose it is.
func (r *Rig) copyOf(why string) *corev1.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	good := r.saved["remote"]
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: good.Name, Namespace: good.Namespace, Labels: map[string]string{}, Annotations: map[string]string{}}, Data: map[string][]byte{}}
	for k, v := range good.Labels {
		s.Labels[k] = v
	}
	for k, v := range good.Annotations {
		s.Annotations[k] = v
	}
	for k, v := range good.Data {
		s.Data[k] = v
	}
	s.Annotations["meshproof.dev/fault"] = why
	return s
}

func (r *Rig) dropSecret(ctx context.Context) error {
	if err := r.saveSecret(ctx); err != nil {
		return err
	}
	err := r.east().Kube().CoreV1().Secrets(system).Delete(ctx, secretPrefix+r.remote(), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the remote secret for west on cluster %s: %w", r.east().Name, err)
	}
	return nil
}

func (r *Rig) putSecret(ctx context.Context) error {
	s := r.copyOf("")
	delete(s.Annotations, "meshproof.dev/fault")
	if _, err := r.east().Kube().CoreV1().Secrets(system).Create(ctx, s, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make the remote secret for west on cluster %s: %w", r.east().Name, err)
	}
	return nil
}

// updateSecret puts the good contents back in place.
func (r *Rig) updateSecret(ctx context.Context) error {
	if _, err := r.east().Kube().CoreV1().Secrets(system).Update(ctx, r.copyOf("mended"), metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("mend the remote secret for west on cluster %s: %w", r.east().Name, err)
	}
	return nil
}

// replaceSecret deletes the secret, waits until istiod has let go of the cluster, and makes it anew with a kubeconfig that
// spoil has changed; nil leaves it as it is.
func (r *Rig) replaceSecret(ctx context.Context, spoil func(*Rig, *clientcmdapi.Config) error) error {
	if err := errors.Join(r.dropSecret(ctx), r.noticed(ctx, r.east(), r.remote(), "")); err != nil {
		return err
	}
	s := r.copyOf("replaced")
	if spoil != nil {
		if err := r.rewrite(s, spoil); err != nil {
			return err
		}
	}
	if _, err := r.east().Kube().CoreV1().Secrets(system).Create(ctx, s, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make the remote secret for west on cluster %s: %w", r.east().Name, err)
	}
	return nil
}

// rewrite changes the kubeconfig in a remote secret for west.
func (r *Rig) rewrite(s *corev1.Secret, change func(*Rig, *clientcmdapi.Config) error) error {
	k, err := clientcmd.Load(s.Data[r.remote()])
	if err != nil {
		return fmt.Errorf("read the kubeconfig in the remote secret for west: %w", err)
	}
	if err := change(r, k); err != nil {
		return err
	}
	if s.Data[r.remote()], err = clientcmd.Write(*k); err != nil {
		return fmt.Errorf("write the kubeconfig of the remote secret for west: %w", err)
	}
	return nil
}

// repairSecret makes the good secret anew and restarts istiod, which may take no secret in any more.
func repairSecret(ctx context.Context, r *Rig) error {
	if err := errors.Join(r.dropSecret(ctx), r.putSecret(ctx), r.freshIstiod(ctx, r.east())); err != nil {
		return err
	}
	return r.noticed(ctx, r.east(), r.remote(), "synced")
}

// powerless makes an account on west that may read nothing, and gives a token of it.
func (r *Rig) powerless(ctx context.Context) (string, error) {
	if err := r.in(ctx, r.west(), r.sample(), "create serviceaccount powerless"); err != nil {
		return "", err
	}
	return r.kubectl(ctx, r.west(), "", "-n", r.sample(), "create", "token", "powerless", "--duration", time.Hour.String())
}
