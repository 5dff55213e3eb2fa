package fault

import (
	"context"
	"errors"
	"fmt"

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
				return r.forgetSecret(ctx)
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
				if err := r.forgetSecret(ctx); err != nil {
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
			return errors.Join(r.forgetSecret(ctx), r.putSecret(ctx))
		},
		Repair: repairSecret,
	}
}

const secretPrefix = "istio-remote-secret-"
