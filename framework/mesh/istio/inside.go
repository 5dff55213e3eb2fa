package istio

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshproof/meshproof/framework/cluster"
	"github.com/meshproof/meshproof/framework/lease"
	"github.com/meshproof/meshproof/framework/ledger/mirror"
	"github.com/meshproof/meshproof/framework/manifest"
)

// working are Kubernetes' own kinds of what works in a namespace, or is there for what does.
func working() []schema.GroupKind {
	const apps, batch = "apps", "batch"
	return []schema.GroupKind{
		deployment, {Group: apps, Kind: "StatefulSet"}, {Group: apps, Kind: "DaemonSet"}, replicaSet, {Kind: "ReplicationController"}, {Group: batch, Kind: "CronJob"},
		{Group: batch, Kind: "Job"}, {Kind: "Pod"}, {Kind: "Service"}, {Kind: "PersistentVolumeClaim"}, {Group: "networking.k8s.io", Kind: "Ingress"},
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, {Group: "policy", Kind: "PodDisruptionBudget"},
	}
}

// written are those of what somebody has written down there. Those of which there is nothing without one of these or of what works
// (endpoints, events) are left out.
func written() []schema.GroupKind {
	const rbac, claims = "rbac.authorization.k8s.io", "resource.k8s.io"
	return []schema.GroupKind{
		configMap, secret, serviceAccount, {Group: rbac, Kind: "RoleBinding"}, {Group: rbac, Kind: "Role"}, {Group: "networking.k8s.io", Kind: "NetworkPolicy"}, locks,
		{Kind: "ResourceQuota"}, {Kind: "LimitRange"}, {Kind: "PodTemplate"}, {Group: claims, Kind: "ResourceClaim"}, {Group: claims, Kind: "ResourceClaimTemplate"},
	}
}

var (
	replicaSet     = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	secret         = schema.GroupKind{Kind: "Secret"}
	serviceAccount = schema.GroupKind{Kind: "ServiceAccount"}
	locks          = schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"}
)

// Inside tells apart what is in istio-system, which the run has made: what is the run's own, and what somebody else has put there. What
// comes with every namespace, and what belongs to another object in there, is neither; nor is the run's hold on it, its lease and the
// copy of its ledger. unseen says which kinds the API server did not list, and why: one that is broken must not hide the others.
func Inside(ctx context.Context, c *cluster.Cluster, home *unstructured.Unstructured) (own, others []manifest.Ref, unseen []error, err error) {
	defined, err := namespaced(ctx, c)
	if err != nil {
		return nil, nil, nil, err
	}
	run := home.GetLabels()[manifest.RunLabel]
	kinds := slices.Concat(working(), written(), defined)
	for _, kind := range kinds {
		all, err := manifest.List(ctx, c, kind, Namespace, "")
		switch {
		case ofKind(err):
			unseen = append(unseen, cluster.Access(err))
		case err != nil:
			return nil, nil, nil, err
		}
		for _, o := range all {
			r := manifest.Ref{Kind: kind, Namespace: Namespace, Name: o.GetName(), UID: o.GetUID()}
			switch label := o.GetLabels()[manifest.RunLabel]; {
			case holds(r, run), belongs(&o, kinds):
			case label == run, label == "" && made(r, &o):
				own = append(own, r)
			case label != "" || !common(r, &o, home.GetCreationTimestamp()):
				others = append(others, r)
			}
		}
	}
	return own, others, unseen, nil
}

// ofKind tells whether an error is about the kind that was asked for: an API server that answers, and knows who asks, may list another.
func ofKind(err error) bool {
	var answer apierrors.APIStatus
	return errors.As(err, &answer) && !apierrors.IsUnauthorized(err)
}

// namespaced are the kinds that somebody has defined on the cluster, Istio's and any other, and whose objects are in namespaces. What an
// API server behind that of the cluster serves is left out: much of it only tells of other objects (metrics.k8s.io).
func namespaced(ctx context.Context, c *cluster.Cluster) ([]schema.GroupKind, error) {
	all, err := manifest.List(ctx, c, definition, "", "")
	if err != nil {
		return nil, err
	}
	var kinds []schema.GroupKind
	for _, d := range all {
		if scope, _, _ := unstructured.NestedString(d.Object, "spec", "scope"); scope != "Cluster" {
			kinds = append(kinds, kindOf(&d))
		}
	}
	return kinds, nil
}

// holds tells whether something is how the run keeps others off the cluster, and is known there.
func holds(r manifest.Ref, run string) bool {
	return r.Kind == locks && r.Name == lease.Name || r.Kind == configMap && r.Name == mirror.Name(run)
}

// belongs tells whether an object is an owner's who is looked at himself.
func belongs(o *unstructured.Unstructured, kinds []schema.GroupKind) bool {
	owners := o.GetOwnerReferences()
	return len(owners) > 0 && !slices.ContainsFunc(owners, func(by metav1.OwnerReference) bool {
		return !slices.Contains(kinds, schema.FromAPIVersionAndKind(by.APIVersion, by.Kind).GroupKind())
	})
}

// made tells whether istioctl has installed an object for the run, or istiod keeps it: what it spreads, and what its replicas agree with who
// leads (pilot/pkg/leaderelection/leaderelection.go).
func made(r manifest.Ref, o *unstructured.Unstructured) bool {
	const leads = "control-plane.alpha.kubernetes.io/leader"
	_, elected := o.GetAnnotations()[leads]
	switch {
	case charted(o):
		return true
	case r.Kind == configMap:
		return slices.Contains(spread(), r.Name) || elected && named(r.Name)
	}
	return r.Kind == locks && named(r.Name)
}

// charted tells by istioctl's label whether an object was installed for one of the run's IstioOperators.
func charted(o *unstructured.Unstructured) bool {
	return slices.Contains([]string{OperatorName, GatewayOperator}, o.GetLabels()[OwnerLabel])
}

// common tells whether an object comes with a namespace: Kubernetes makes some in every one, and so may what a cluster has installed, as
// soon as the namespace is there; but nothing that works there.
func common(r manifest.Ref, o *unstructured.Unstructured, began metav1.Time) bool {
	const account = "kubernetes.io/service-account.name"
	switch {
	case r.Kind == locks: // of somebody who works there, and is found himself
		return true
	case slices.Contains(working(), r.Kind):
		return false
	case r.Kind == configMap && r.Name == "kube-root-ca.crt", r.Kind == serviceAccount && r.Name == "default":
		return true
	case r.Kind == secret && o.GetAnnotations()[account] != "": // the token of an account goes with it
		return true
	}
	return o.GetCreationTimestamp().Sub(began.Time) < atOnce
}

// atOnce is within what time something that fills every namespace has done so, and nobody by hand.
const atOnce = 10 * time.Second
