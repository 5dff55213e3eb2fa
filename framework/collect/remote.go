package collect

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshproof/meshproof/framework/evidence"
)

// kuber is what is asked for API objects alone.
type kuber interface{ Kube() kubernetes.Interface }

// RemoteServers reads the address out of each kubeconfig in a remote secret. It is the one place in which the contents of
// a secret are looked at: nothing but the scheme, host and port of the server leaves it, and no error quotes anything.
func RemoteServers(ctx context.Context, c kuber, ns string) ([]evidence.RemoteServer, error) {
	list, err := c.Kube().CoreV1().Secrets(ns).List(ctx, metav1.ListOptions{LabelSelector: remoteSecrets})
	if err != nil {
		return nil, err
	}
	found := []evidence.RemoteServer{}
	for i := range list.Items {
		found = append(found, serversOf(&list.Items[i])...)
	}
	return found, nil
}

func (s source) remoteServers(ctx context.Context, ns string, l *lists) error {
	found, err := RemoteServers(ctx, s, ns)
	if err == nil {
		l.add(func(k *evidence.Kubernetes) { k.RemoteServers = found })
	}
	return err
}

func serversOf(secret *corev1.Secret) []evidence.RemoteServer {
	name := secret.Namespace + "/" + secret.Name
	if len(secret.Data) == 0 {
		return []evidence.RemoteServer{{Secret: name, Problem: "it holds no kubeconfig"}}
	}
	var found []evidence.RemoteServer
	for _, key := range slices.Sorted(maps.Keys(secret.Data)) {
		server, err := serverOf(secret.Data[key])
		one := evidence.RemoteServer{Secret: name, Cluster: key, Server: server}
		if err != nil {
			one.Problem = err.Error()
		}
		found = append(found, one)
	}
	return found
}

// serverOf gives the server of a kubeconfig's current context, without user, path or query.
func serverOf(kubeconfig []byte) (string, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil || len(kubeconfig) == 0 {
		return "", errors.New("its kubeconfig cannot be read")
	}
	current, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return "", errors.New("its kubeconfig has no current context")
	}
	cluster, ok := config.Clusters[current.Cluster]
	if !ok || cluster.Server == "" {
		return "", errors.New("its kubeconfig names no server")
	}
	u, err := url.Parse(cluster.Server)
	if err != nil || u.Host == "" {
		return "", errors.New("the server in its kubeconfig is no URL")
	}
	return u.Scheme + "://" + u.Host, nil
}

// APIServers reads where the cluster itself finds its API server, as host:port: that is what other clusters must be able to
// reach, and may differ from the address that this program uses.
func APIServers(ctx context.Context, c kuber) ([]string, error) {
	list, err := c.Kube().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).
		List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kubernetes"})
	if err != nil {
		return nil, err
	}
	found := []string{}
	for _, e := range list.Items {
		for _, port := range e.Ports {
			for _, one := range e.Endpoints {
				for _, address := range one.Addresses {
					if port.Port != nil {
						found = append(found, net.JoinHostPort(address, strconv.Itoa(int(*port.Port))))
					}
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

func (s source) apiServers(ctx context.Context, l *lists) error {
	found, err := APIServers(ctx, s)
	if err == nil {
		l.add(func(k *evidence.Kubernetes) { k.APIServers = found })
	}
	return err
}

// readerAccount is the account whose token istioctl puts into remote secrets.
const readerAccount = "istio-reader-service-account"

// readerMay asks the API server what the reader is allowed to: a review is answered and kept nowhere.
func (s source) readerMay(ctx context.Context, ns string, l *lists) error {
	may := map[string]bool{}
	for _, ask := range []authorizationv1.ResourceAttributes{
		{Verb: "list", Resource: "services"}, {Verb: "list", Resource: "endpointslices", Group: "discovery.k8s.io"}, {Verb: "create", Resource: "services"},
	} {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + ns + ":" + readerAccount,
			Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"},
			ResourceAttributes: &ask,
		}}
		answer, err := s.Kube().AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		may[ask.Verb+" "+ask.Resource] = answer.Status.Allowed
	}
	l.add(func(k *evidence.Kubernetes) { k.ReaderMay = may })
	return nil
}
