package istio

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshproof/meshproof/framework/manifest/apitest"
)

const (
	insideCore     = "/api/v1/namespaces/istio-system/"
	insideApps     = "/apis/apps/v1/namespaces/istio-system/"
	insideMonitors = "/apis/monitoring.coreos.com/v1/namespaces/istio-system/podmonitors/"
	began          = "2026-11-25T08:00:00Z"
	later          = "creationTimestamp: '2026-11-25T08:00:10Z'"
	ofCharts       = ", labels: {install.operator.istio.io/owning-resource: control-plane}"
	ownedByRS      = ", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x, uid: u}]"
)

// home puts istio-system as run r1 made it.
func home(t *testing.T, s *apitest.Server) *unstructured.Unstructured {
	t.Helper()
	s.Put(t, "/api/v1/namespaces/istio-system", "{metadata: {name: istio-system, creationTimestamp: '"+began+"', labels: {meshproof.dev/run: r1}}}")
	return s.Get("/api/v1/namespaces/istio-system")
}

// define puts the definitions of kinds that others bring.
func define(t *testing.T, s *apitest.Server) {
	t.Helper()
	for name, spec := range map[string]string{
		"gateways.networking.istio.io":      "group: networking.istio.io, scope: Namespaced, names: {kind: Gateway}",
		"podmonitors.monitoring.coreos.com": "group: monitoring.coreos.com, scope: Namespaced, names: {kind: PodMonitor}",
		"memberships.hub.gke.io":            "group: hub.gke.io, scope: Cluster, names: {kind: Membership}",
	} {
		s.Put(t, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+name, "{metadata: {name: "+name+"}, spec: {"+spec+"}}")
	}
	s.Put(t, "/apis/hub.gke.io/v1/memberships/membership", "{metadata: {name: membership}}")
}

// TestInside: what goes with istio-system, what keeps it, and what is neither.
func TestInside(t *testing.T) {
	const own, theirs, neither = "own", "theirs", "neither"
	for at, is := range map[string]struct{ metadata, is string }{
		insideApps + "deployments/ingress":                                       {later, theirs},
		insideApps + "deployments/istiod-helm":                                   {later + ", labels: {app: istiod, istio.io/rev: other}", theirs},
		insideApps + "deployments/istiod-r":                                      {later + ofCharts, own},
		insideApps + "deployments/istio-eastwestgateway":                         {later + ", labels: {install.operator.istio.io/owning-resource: eastwest}", own},
		insideApps + "deployments/another-installation":                          {later + ", labels: {install.operator.istio.io/owning-resource: ingress}", theirs},
		insideApps + "deployments/waypoint":                                      {later + ", ownerReferences: [{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: x, uid: u}]", theirs},
		insideApps + "replicasets/istiod-r-1":                                    {later + ", ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: x, uid: u}]", neither},
		insideApps + "deployments/at-once":                                       {"creationTimestamp: '2026-11-25T08:00:01Z'", theirs},
		insideCore + "pods/istiod-r-1-a":                                         {later + ownedByRS, neither},
		insideCore + "pods/bare":                                                 {later, theirs},
		insideCore + "services/ingress":                                          {later, theirs},
		insideCore + "services/istiod-r":                                         {later + ofCharts, own},
		insideCore + "serviceaccounts/default":                                   {later, neither},
		insideCore + "serviceaccounts/builder":                                   {"creationTimestamp: '2026-11-25T08:00:01Z'", neither},
		insideCore + "serviceaccounts/kiali":                                     {later, theirs},
		insideCore + "configmaps/kube-root-ca.crt":                               {later, neither},
		insideCore + "configmaps/bundle-of-the-cluster":                          {"creationTimestamp: '2026-11-25T08:00:09Z'", neither},
		insideCore + "configmaps/settings":                                       {later, theirs},
		insideCore + "configmaps/istio-ca-root-cert":                             {later + ", labels: {istio.io/config: 'true'}", own},
		insideCore + "configmaps/istio-ca-crl":                                   {later + ", labels: {istio.io/config: 'true'}", own},
		insideCore + "configmaps/istio-leader":                                   {later + ", annotations: {control-plane.alpha.kubernetes.io/leader: '{}'}", own},
		insideCore + "configmaps/their-leader":                                   {later + ", annotations: {control-plane.alpha.kubernetes.io/leader: '{}'}", theirs},
		insideCore + "configmaps/meshproof-run-r1":                               {later + ", labels: {meshproof.dev/run: r1}", neither},
		insideCore + "configmaps/meshproof-run-r2":                               {later + ", labels: {meshproof.dev/run: r2}", theirs},
		insideCore + "secrets/cacerts":                                           {later + ", labels: {meshproof.dev/run: r1}", own},
		insideCore + "secrets/tls":                                               {later, theirs},
		insideCore + "secrets/of-another-run":                                    {"creationTimestamp: '" + began + "', labels: {meshproof.dev/run: r2}", theirs},
		insideCore + "secrets/default-token-x":                                   {later + ", annotations: {kubernetes.io/service-account.name: default}", neither},
		"/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/meshproof":  {later + ", labels: {meshproof.dev/run: r1}", neither},
		"/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/istio-ip":   {later, own},
		"/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/theirs":     {later, neither},
		"/apis/networking.istio.io/v1/namespaces/istio-system/gateways/front":    {later, theirs},
		"/apis/networking.istio.io/v1/namespaces/istio-system/gateways/ours":     {later + ofCharts, own},
		"/apis/networking.istio.io/v1/namespaces/web/gateways/elsewhere":         {later, neither},
		"/apis/apps/v1/namespaces/web/deployments/elsewhere":                     {later, neither},
		"/apis/rbac.authorization.k8s.io/v1/namespaces/istio-system/roles/kiali": {later, theirs},
		insideMonitors + "istiod":                                                {later, theirs},
		insideMonitors + "of-another-run":                                        {later + ", labels: {meshproof.dev/run: r2}", theirs},
		insideMonitors + "of-the-charts":                                         {later + ofCharts, own},
		insideMonitors + "of-a-policy":                                           {"creationTimestamp: '2026-11-25T08:00:09Z'", neither},
		insideMonitors + "of-a-workload":                                         {later + ownedByRS, neither},
		insideCore + "resourcequotas/small":                                      {later, theirs},
		insideCore + "limitranges/of-a-policy":                                   {"creationTimestamp: '2026-11-25T08:00:09Z'", neither},
		insideApps + "deployments/of-a-monitor":                                  {later + ", ownerReferences: [{apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, name: x, uid: u}]", neither},
		"/apis/monitoring.coreos.com/v1/namespaces/web/podmonitors/elsewhere":    {later, neither},
	} {
		s := apitest.New(t)
		h := home(t, s)
		define(t, s)
		s.Put(t, at, "{metadata: {name: "+path.Base(at)+", "+is.metadata+"}}")
		mine, others, unseen, err := Inside(t.Context(), s.Cluster(t, "east"), h)
		if err != nil || unseen != nil {
			t.Fatal(err, unseen)
		}
		got := neither
		if len(mine) > 0 {
			got = own
		}
		if len(others) > 0 {
			got = theirs
		}
		if got != is.is || len(mine)+len(others) > 1 {
			t.Errorf("%s: %s, want %s (%v, %v)", at, got, is.is, mine, others)
		}
		if all := append(mine, others...); len(all) == 1 && (all[0].UID == "" || path.Base(at) != all[0].Name) {
			t.Errorf("%s: %+v", at, all)
		}
	}
}

// TestInsideIsSeenWhole: a kind that is not listed is no absence, and hides none of the others. Without the kinds that are defined, or from
// a server that does not know who asks, nothing is known.
func TestInsideIsSeenWhole(t *testing.T) {
	const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	for _, tc := range []struct {
		collection string
		status     int
		says       string
		whole      bool // all of the look is lost
	}{
		{insideApps + "deployments", http.StatusForbidden, "list Deployment", false},
		{insideCore + "secrets", http.StatusForbidden, "list Secret", false},
		{strings.TrimSuffix(insideMonitors, "/"), http.StatusInternalServerError, "list PodMonitor", false},
		{insideCore + "secrets", http.StatusUnauthorized, "list Secret", true},
		{definitions, http.StatusForbidden, "list CustomResourceDefinition", true},
	} {
		s := apitest.New(t)
		define(t, s)
		s.Put(t, insideCore+"serviceaccounts/kiali", "{metadata: {name: kiali, "+later+"}}")
		s.Put(t, insideCore+"configmaps/istio-ca-root-cert", "{metadata: {name: istio-ca-root-cert, "+later+"}}")
		s.Fail(http.MethodGet, tc.collection, tc.status)
		mine, others, unseen, err := Inside(t.Context(), s.Cluster(t, "east"), home(t, s))
		said, found := errors.Join(append(unseen, err)...), 1
		if tc.whole {
			found = 0
		}
		if said == nil || !strings.Contains(said.Error(), tc.says) || (err != nil) != tc.whole || len(mine) != found || len(others) != found || len(s.Calls()) != 0 {
			t.Errorf("%s, %d: %v, %v, %v, %v, %q", tc.collection, tc.status, mine, others, unseen, err, s.Calls())
		}
	}
}
