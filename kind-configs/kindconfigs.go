// Package kindconfigs holds the configuration of the kind clusters that a run makes, as a text/template. It is here,
// and not beside the code that uses it, so that what the clusters are can be read without reading Go.
package kindconfigs

import _ "embed"

// Cluster is a template of kind's Cluster configuration (kind.x-k8s.io/v1alpha4). Its data is kindcluster's nodeConfig:
// NoKindnet (bool), RegistryHosts (a folder on this machine, or "").
//
//go:embed cluster.yaml.tmpl
var Cluster string
