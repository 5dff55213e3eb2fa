package collect

import (
	"encoding/json"
	"strings"
)

// The types below are what becomes evidence of a config dump, by the names of Envoy's API: what claims and causes read, and what a
// person needs to follow a call (addresses, filter chains, domains, clusters). All else goes: headers that routes set or ask for,
// rules of authorization policies, settings of filters, tracing and access logs may hold tokens, and nobody can know each of them.
type (
	keptClusters struct {
		Type    kind          `json:"@type"`
		Version string        `json:"version_info,omitempty"`
		Static  []keptCluster `json:"static_clusters,omitempty"`
		Active  []keptCluster `json:"dynamic_active_clusters,omitempty"`
		Warming []keptCluster `json:"dynamic_warming_clusters,omitempty"`
	}
	keptEndpoints struct {
		Type    kind           `json:"@type"`
		Static  []keptEndpoint `json:"static_endpoint_configs,omitempty"`
		Dynamic []keptEndpoint `json:"dynamic_endpoint_configs,omitempty"`
	}
	keptListeners struct {
		Type    kind           `json:"@type"`
		Version string         `json:"version_info,omitempty"`
		Static  []keptListener `json:"static_listeners,omitempty"`
		Dynamic []struct {
			onlyName
			Active   *keptListener `json:"active_state,omitempty"`
			Warming  *keptListener `json:"warming_state,omitempty"`
			Draining *keptListener `json:"draining_state,omitempty"`
		} `json:"dynamic_listeners,omitempty"`
	}
	keptRoutes struct {
		Type    kind        `json:"@type"`
		Static  []keptRoute `json:"static_route_configs,omitempty"`
		Dynamic []keptRoute `json:"dynamic_route_configs,omitempty"`
	}

	// updated tells when the Envoy took a resource.
	updated struct {
		Version string `json:"version_info,omitempty"`
		Updated string `json:"last_updated,omitempty"`
	}
	keptCluster struct {
		updated
		Cluster *envoyCluster `json:"cluster,omitempty"`
	}
	keptEndpoint struct {
		updated
		Endpoints *loadAssignment `json:"endpoint_config,omitempty"`
	}
	keptListener struct {
		updated
		Listener *envoyListener `json:"listener,omitempty"`
	}
	keptRoute struct {
		updated
		Route *routeConfig `json:"route_config,omitempty"`
	}
)

type envoyCluster struct {
	Type kind `json:"@type"`
	onlyName
	Discovery string `json:"type,omitempty"`
	EDS       *struct {
		Service string `json:"service_name,omitempty"`
	} `json:"eds_cluster_config,omitempty"`
	Load   *loadAssignment `json:"load_assignment,omitempty"`
	LB     string          `json:"lb_policy,omitempty"`
	Common *struct {
		LocalityWeighted *struct{} `json:"locality_weighted_lb_config,omitempty"`
	} `json:"common_lb_config,omitempty"`
	Policy *struct {
		Policies []struct {
			Extension *onlyName `json:"typed_extension_config,omitempty"`
		} `json:"policies,omitempty"`
	} `json:"load_balancing_policy,omitempty"`
	Outlier *struct {
		Errors       *uint32 `json:"consecutive_5xx,omitempty"`
		Interval     string  `json:"interval,omitempty"`
		BaseEjection string  `json:"base_ejection_time,omitempty"`
		MaxEjection  *uint32 `json:"max_ejection_percent,omitempty"`
	} `json:"outlier_detection,omitempty"`
	Socket        *transportSocket `json:"transport_socket,omitempty"`
	SocketMatches []struct {
		onlyName
		Socket *transportSocket `json:"transport_socket,omitempty"`
	} `json:"transport_socket_matches,omitempty"`
	Metadata *origin `json:"metadata,omitempty"`
}

type transportSocket struct {
	onlyName
	Config *struct {
		Type                     kind   `json:"@type,omitempty"`
		SNI                      string `json:"sni,omitempty"`
		RequireClientCertificate bool   `json:"require_client_certificate,omitempty"`
		Common                   *struct {
			ALPN     []string `json:"alpn_protocols,omitempty"`
			Combined *struct {
				Default *struct {
					SANs  []exact `json:"match_subject_alt_names,omitempty"`
					Typed []struct {
						Kind    string `json:"san_type,omitempty"`
						Matcher *exact `json:"matcher,omitempty"`
					} `json:"match_typed_subject_alt_names,omitempty"`
				} `json:"default_validation_context,omitempty"`
			} `json:"combined_validation_context,omitempty"`
		} `json:"common_tls_context,omitempty"`
	} `json:"typed_config,omitempty"`
}

type loadAssignment struct {
	Type       kind   `json:"@type,omitempty"`
	Name       string `json:"cluster_name,omitempty"`
	Localities []struct {
		Locality *struct {
			Region  string `json:"region,omitempty"`
			Zone    string `json:"zone,omitempty"`
			SubZone string `json:"sub_zone,omitempty"`
		} `json:"locality,omitempty"`
		Endpoints []struct {
			Endpoint *struct {
				Address  *address `json:"address,omitempty"`
				Hostname string   `json:"hostname,omitempty"`
			} `json:"endpoint,omitempty"`
			Health   string  `json:"health_status,omitempty"`
			Metadata *origin `json:"metadata,omitempty"`
			Weight   *uint32 `json:"load_balancing_weight,omitempty"`
		} `json:"lb_endpoints,omitempty"`
		Weight   *uint32 `json:"load_balancing_weight,omitempty"`
		Priority uint32  `json:"priority,omitempty"`
	} `json:"endpoints,omitempty"`
}

type envoyListener struct {
	Type kind `json:"@type"`
	onlyName
	Address    *address `json:"address,omitempty"`
	Additional []struct {
		Address *address `json:"address,omitempty"`
	} `json:"additional_addresses,omitempty"`
	Chains       []filterChain `json:"filter_chains,omitempty"`
	DefaultChain *filterChain  `json:"default_filter_chain,omitempty"`
	Filters      []onlyName    `json:"listener_filters,omitempty"`
	Direction    string        `json:"traffic_direction,omitempty"`
	Binds        *bool         `json:"bind_to_port,omitempty"`
}

type filterChain struct {
	onlyName
	Match *struct {
		Port      *uint32  `json:"destination_port,omitempty"`
		Prefixes  []prefix `json:"prefix_ranges,omitempty"`
		Transport string   `json:"transport_protocol,omitempty"`
		ALPN      []string `json:"application_protocols,omitempty"`
		SNIs      []string `json:"server_names,omitempty"`
	} `json:"filter_chain_match,omitempty"`
	Filters []struct {
		onlyName
		Config *filterConfig `json:"typed_config,omitempty"`
	} `json:"filters,omitempty"`
	Socket *transportSocket `json:"transport_socket,omitempty"`
}

// filterConfig has the fields of Istio's own network filters: those that pass HTTP and TCP on.
type filterConfig struct {
	Type  kind   `json:"@type,omitempty"`
	Stats string `json:"stat_prefix,omitempty"`
	targets
	RDS *struct {
		Name string `json:"route_config_name,omitempty"`
	} `json:"rds,omitempty"`
	Routes      *routeConfig `json:"route_config,omitempty"`
	HTTPFilters []onlyName   `json:"http_filters,omitempty"`
}

// UnmarshalJSON keeps of a filter whose fields have these names and another shape (Dubbo's route_config is a list) its type alone.
func (c *filterConfig) UnmarshalJSON(text []byte) error {
	type plain filterConfig
	var whole plain
	if err := json.Unmarshal(text, &whole); err == nil {
		*c = filterConfig(whole)
		return nil
	}
	var only struct {
		Type kind `json:"@type"`
	}
	err := json.Unmarshal(text, &only)
	*c = filterConfig{Type: only.Type}
	return err
}

type routeConfig struct {
	Type kind `json:"@type,omitempty"`
	onlyName
	Hosts []struct {
		onlyName
		Domains []string `json:"domains,omitempty"`
		Routes  []struct {
			onlyName
			Action   *targets `json:"route,omitempty"`
			Metadata *origin  `json:"metadata,omitempty"`
		} `json:"routes,omitempty"`
	} `json:"virtual_hosts,omitempty"`
}

type (
	// targets are the clusters that calls go to.
	targets struct {
		Cluster  string `json:"cluster,omitempty"`
		Weighted *struct {
			Clusters []struct {
				onlyName
				Weight *uint32 `json:"weight,omitempty"`
			} `json:"clusters,omitempty"`
		} `json:"weighted_clusters,omitempty"`
	}
	onlyName struct {
		Name string `json:"name,omitempty"`
	}
	exact struct {
		Exact string `json:"exact,omitempty"`
	}
	prefix struct {
		Address string  `json:"address_prefix,omitempty"`
		Length  *uint32 `json:"prefix_len,omitempty"`
	}
	address struct {
		Socket *struct {
			Address string `json:"address,omitempty"`
			Port    uint32 `json:"port_value,omitempty"`
		} `json:"socket_address,omitempty"`
		Pipe *struct {
			Path string `json:"path,omitempty"`
		} `json:"pipe,omitempty"`
		Internal *struct {
			Listener string `json:"server_listener_name,omitempty"`
			Endpoint string `json:"endpoint_id,omitempty"`
		} `json:"envoy_internal_address,omitempty"`
	}
	// origin says what istiod made a resource from: the path of a rule, or the workload behind an endpoint.
	origin struct {
		Filters struct {
			Istio struct {
				Config   string `json:"config,omitempty"`
				Workload string `json:"workload,omitempty"`
			} `json:"istio"`
			Match *struct {
				TLSMode string `json:"tlsMode,omitempty"`
			} `json:"envoy.transport_socket_match,omitempty"`
		} `json:"filter_metadata"`
	}
)

// kind is the type of a message. Protobuf's own (an EnvoyFilter may set a Struct) hold anything under "value" and cannot be decoded
// without it: of such a message nothing is kept.
type kind string

func (k *kind) UnmarshalJSON(text []byte) error {
	var url string
	err := json.Unmarshal(text, &url)
	if !strings.HasPrefix(url, "type.googleapis.com/google.protobuf.") {
		*k = kind(url)
	}
	return err
}
