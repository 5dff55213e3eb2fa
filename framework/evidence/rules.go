package evidence

// DestinationRule is the part of networking.istio.io DestinationRule that changes who answers.
type DestinationRule struct {
	Object
	Host    string   `json:"host"`
	Subsets []Subset `json:"subsets,omitempty"`
	// LB is the policy's name: ROUND_ROBIN, ..., "CONSISTENT_HASH", or empty when the rule sets none.
	LB string `json:"lb,omitempty"`
	// Outlier tells that it turns outlier detection on; Locality that it has locality settings of its own.
	Outlier  bool `json:"outlier,omitempty"`
	Locality bool `json:"locality,omitempty"`
	// TLSMode is that of the connections: DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL; empty when the rule sets none.
	TLSMode string `json:"tlsMode,omitempty"`
}

// Subset is a named part of a host's endpoints.
type Subset struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
}

// VirtualService is the part of networking.istio.io VirtualService that says where HTTP requests go.
type VirtualService struct {
	Object
	Hosts        []string      `json:"hosts"`
	Destinations []Destination `json:"destinations,omitempty"`
}

// Destination is one target of a VirtualService's HTTP routes.
type Destination struct {
	// Route is the route's place in the object, from 0.
	Route  int    `json:"route"`
	Host   string `json:"host"`
	Subset string `json:"subset,omitempty"`
	// Weight among the targets of its route; 0 for the only one.
	Weight int32 `json:"weight,omitempty"`
}

// AuthorizationPolicy is security.istio.io AuthorizationPolicy without its rules.
type AuthorizationPolicy struct {
	Object
	Action string `json:"action"`
	// Selector of the workloads; empty means every one in the namespace.
	Selector map[string]string `json:"selector,omitempty"`
}
