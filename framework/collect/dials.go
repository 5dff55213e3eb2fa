package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/evidence"
)

// Target is one address to connect to.
type Target struct {
	// To is the name of the cluster that it belongs to.
	To string
	// Address is host:port.
	Address string
}

// dialLimit bounds one connection; Options.Request, which bounds the exec, is longer.
const dialLimit = "5s"

// GatewayTargets gives the addresses of the peers' east-west gateways, with the port that passes mesh traffic on. A peer
// whose gateway has no address gives none.
func GatewayTargets(ctx context.Context, peers cluster.Set, o Options) ([]Target, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.Request)
	defer cancel()
	found := make([][]Target, len(peers))
	errs := make([]error, len(peers))
	var all sync.WaitGroup
	for i, peer := range peers {
		all.Go(func() {
			list, err := peer.Kube().CoreV1().Services(o.GatewayNamespace).List(ctx, metav1.ListOptions{LabelSelector: gatewaySelector})
			if err != nil {
				errs[i] = fmt.Errorf("read gateway services in %s on cluster %s: %w", o.GatewayNamespace, peer.Name, err)
				return
			}
			for j := range list.Items {
				for _, host := range addresses(&list.Items[j]) {
					found[i] = append(found[i], Target{To: peer.Name, Address: net.JoinHostPort(host, strconv.Itoa(evidence.GatewayPort))})
				}
			}
		})
	}
	all.Wait()
	var targets []Target
	for _, t := range found {
		targets = append(targets, t...)
	}
	return targets, errors.Join(errs...)
}

// ServerTargets gives the addresses of the peers' API servers as their kubeconfigs have them, which S8 hands on. Nothing is asked.
func ServerTargets(peers cluster.Set) ([]Target, error) {
	var targets []Target
	for _, peer := range peers {
		u, _, err := rest.DefaultServerUrlFor(peer.Resources().GetConfig())
		if err != nil {
			return nil, fmt.Errorf("read the API server's address %s of cluster %s: %w", peer.Server(), peer.Name, err)
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
		}
		targets = append(targets, Target{To: peer.Name, Address: net.JoinHostPort(u.Hostname(), port)})
	}
	return targets, nil
}

// Dials connects from the cluster's probe pod to every target, in one exec. A connection that fails is evidence, not an
// error; the error says that the probe could not be asked, or did not answer for every target.
func Dials(ctx context.Context, c *cluster.Cluster, o Options, targets []Target) ([]evidence.Dial, error) {
	s, err := from(c, o)
	if err != nil {
		return nil, err
	}
	return s.dials(ctx, o.withDefaults(), targets)
}

func (s source) dials(ctx context.Context, o Options, targets []Target) ([]evidence.Dial, error) {
	if len(targets) == 0 {
		return []evidence.Dial{}, nil
	}
	pods, err := s.running(ctx, o.Probe.Namespace, o.Probe.Selector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("dial from cluster %s: no probe pod %q runs in namespace %s", s.name, o.Probe.Selector, o.Probe.Namespace)
	}
	probe := pods[0]
	command := o.Probe.command("dial", "--timeout", dialLimit)
	for _, t := range targets {
		command = append(command, t.Address)
	}
	at := now()
	stdout, err := s.run(ctx, probe, probe.Spec.Containers[0].Name, command...)
	dials, missing := parseDials(stdout, targets)
	for i := range dials {
		dials[i].At, dials[i].Pod = at, probe.Name
	}
	if len(missing) == 0 {
		return dials, nil // the probe ends with a code when a connection failed: that is in the evidence
	}
	return dials, errors.Join(fmt.Errorf("dial from pod %s/%s on cluster %s: no answer for %v", probe.Namespace, probe.Name, s.name, missing), err)
}

// parseDials reads the probe's answers, one JSON object a line: {"address","connected","seconds","error"}. Missing are
// the targets without an answer.
func parseDials(stdout []byte, targets []Target) (dials []evidence.Dial, missing []string) {
	type answer struct {
		Address   string  `json:"address"`
		Connected bool    `json:"connected"`
		Seconds   float64 `json:"seconds"`
		Error     string  `json:"error"`
	}
	answers := map[string]answer{}
	for line := range bytes.Lines(stdout) {
		var a answer
		if json.Unmarshal(line, &a) == nil && a.Address != "" {
			answers[a.Address] = a
		}
	}
	dials = []evidence.Dial{}
	for _, t := range targets {
		a, ok := answers[t.Address]
		if !ok {
			missing = append(missing, t.Address)
			continue
		}
		dials = append(dials, evidence.Dial{To: t.To, Address: t.Address, Connected: a.Connected, Seconds: a.Seconds, Error: a.Error})
	}
	return dials, missing
}
