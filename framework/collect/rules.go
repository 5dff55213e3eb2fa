package collect

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	"istio.io/istio/pkg/util/protomarshal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/evidence"
)

// istioObjects lists objects of one of Istio's kinds, in the older version when the API server does not know the newer one
// (Istio before 1.22).
func (s source) istioObjects(ctx context.Context, group, resource, ns string) ([]unstructured.Unstructured, error) {
	kind := schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}
	list, err := s.Dynamic().Resource(kind).Namespace(ns).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		kind.Version = "v1beta1"
		list, err = s.Dynamic().Resource(kind).Namespace(ns).List(ctx, metav1.ListOptions{})
	}
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

const (
	networkingGroup = "networking.istio.io"
	securityGroup   = "security.istio.io"
)

// convertAll lists the objects of a kind and converts each.
func convertAll[T any](ctx context.Context, s source, group, resource, ns string, convert func(*unstructured.Unstructured) (T, error)) ([]T, error) {
	items, err := s.istioObjects(ctx, group, resource, ns)
	if err != nil {
		return nil, err
	}
	found := make([]T, 0, len(items))
	for i := range items {
		one, err := convert(&items[i])
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", resource, items[i].GetName(), err)
		}
		found = append(found, one)
	}
	return found, nil
}

// specOf decodes an object's spec. Fields that a newer Istio has added are left out.
func specOf(u *unstructured.Unstructured, spec proto.Message) error {
	raw, err := json.Marshal(u.Object["spec"])
	if err != nil {
		return err
	}
	return protomarshal.UnmarshalAllowUnknown(raw, spec)
}

func (s source) gateways(ctx context.Context, ns string, l *lists) error {
	found, err := convertAll(ctx, s, networkingGroup, "gateways", ns, gateway)
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.Gateways = append(k.Gateways, found...) })
	return nil
}

func (s source) destinationRules(ctx context.Context, ns string, l *lists) error {
	found, err := convertAll(ctx, s, networkingGroup, "destinationrules", ns, destinationRule)
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.DestinationRules = extend(k.DestinationRules, found) })
	return nil
}

func (s source) virtualServices(ctx context.Context, ns string, l *lists) error {
	found, err := convertAll(ctx, s, networkingGroup, "virtualservices", ns, virtualService)
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.VirtualServices = extend(k.VirtualServices, found) })
	return nil
}

func (s source) authorizationPolicies(ctx context.Context, ns string, l *lists) error {
	found, err := convertAll(ctx, s, securityGroup, "authorizationpolicies", ns, authorizationPolicy)
	if err != nil {
		return err
	}
	l.add(func(k *evidence.Kubernetes) { k.AuthorizationPolicies = extend(k.AuthorizationPolicies, found) })
	return nil
}

// extend appends, and gives a list that is not nil even when there is nothing: the list was taken.
func extend[T any](all, more []T) []T {
	if all == nil {
		all = []T{}
	}
	return append(all, more...)
}

func gateway(u *unstructured.Unstructured) (evidence.Gateway, error) {
	found := evidence.Gateway{Object: object(u)}
	var spec networking.Gateway
	if err := specOf(u, &spec); err != nil {
		return found, err
	}
	found.Selector = spec.GetSelector()
	for _, s := range spec.GetServers() {
		server := evidence.GatewayServer{Port: s.GetPort().GetNumber(), Hosts: s.GetHosts()}
		if s.GetTls() != nil {
			server.TLSMode = s.GetTls().GetMode().String()
		}
		found.Servers = append(found.Servers, server)
	}
	return found, nil
}

func destinationRule(u *unstructured.Unstructured) (evidence.DestinationRule, error) {
	found := evidence.DestinationRule{Object: object(u)}
	var spec networking.DestinationRule
	if err := specOf(u, &spec); err != nil {
		return found, err
	}
	found.Host = spec.GetHost()
	for _, s := range spec.GetSubsets() {
		found.Subsets = append(found.Subsets, evidence.Subset{Name: s.GetName(), Labels: s.GetLabels()})
	}
	policy := spec.GetTrafficPolicy()
	found.Outlier = policy.GetOutlierDetection() != nil
	found.Locality = policy.GetLoadBalancer().GetLocalityLbSetting() != nil
	switch lb := policy.GetLoadBalancer(); {
	case lb.GetConsistentHash() != nil:
		found.LB = "CONSISTENT_HASH"
	case lb.GetSimple() != networking.LoadBalancerSettings_UNSPECIFIED:
		found.LB = lb.GetSimple().String()
	}
	if policy.GetTls() != nil {
		found.TLSMode = policy.GetTls().GetMode().String()
	}
	return found, nil
}

func virtualService(u *unstructured.Unstructured) (evidence.VirtualService, error) {
	found := evidence.VirtualService{Object: object(u)}
	var spec networking.VirtualService
	if err := specOf(u, &spec); err != nil {
		return found, err
	}
	found.Hosts = spec.GetHosts()
	for i, r := range spec.GetHttp() {
		for _, d := range r.GetRoute() {
			found.Destinations = append(found.Destinations, evidence.Destination{
				Route: i, Host: d.GetDestination().GetHost(), Subset: d.GetDestination().GetSubset(), Weight: d.GetWeight(),
			})
		}
	}
	return found, nil
}

func authorizationPolicy(u *unstructured.Unstructured) (evidence.AuthorizationPolicy, error) {
	found := evidence.AuthorizationPolicy{Object: object(u)}
	var spec security.AuthorizationPolicy
	if err := specOf(u, &spec); err != nil {
		return found, err
	}
	found.Action, found.Selector = spec.GetAction().String(), spec.GetSelector().GetMatchLabels()
	return found, nil
}
