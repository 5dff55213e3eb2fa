package kindcluster

import (
	"bytes"
	"fmt"
	"text/template"

	kindconfigs "github.com/meshproof/meshproof/kind-configs"
)

// nodeConfig is the data of the template kind-configs/cluster.yaml.tmpl.
type nodeConfig struct {
	NoKindnet     bool
	RegistryHosts string
}

func (m *maker) config(network addresses) ([]byte, error) {
	hosts, err := writeRegistryHosts(m.Options, network)
	if err != nil {
		return nil, err
	}
	return renderConfig(nodeConfig{NoKindnet: m.NoKindnet, RegistryHosts: hosts})
}

func renderConfig(data nodeConfig) ([]byte, error) {
	t, err := template.New("cluster.yaml.tmpl").Option("missingkey=error").Parse(kindconfigs.Cluster)
	if err != nil {
		return nil, fmt.Errorf("read the kind configuration: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("render the kind configuration: %w", err)
	}
	return out.Bytes(), nil
}
