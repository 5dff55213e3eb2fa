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
)

// How the faults in a remote secret edit it.

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

// forgetSecret deletes the secret and waits until istiod has let go of the cluster. Made anew before that, it could be one that was
// changed in place: istiod's queue knows its name alone, and may look when the next one is there.
func (r *Rig) forgetSecret(ctx context.Context) error {
	if err := r.dropSecret(ctx); err != nil {
		return err
	}
	return r.noticed(ctx, r.east(), r.remote(), "")
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

// replaceSecret has istiod forget the secret, and makes it anew with a kubeconfig that spoil has changed; nil leaves it as it is.
func (r *Rig) replaceSecret(ctx context.Context, spoil func(*Rig, *clientcmdapi.Config) error) error {
	if err := r.forgetSecret(ctx); err != nil {
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
