package session

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshproof/meshproof/fixtures"
	"github.com/meshproof/meshproof/framework/images"
)

// Placement says how the image of the suite's own pods is pulled, and on which nodes they may run. The guide's own samples
// stay as they are printed.
type Placement struct {
	// PullSecret is a file with docker's credentials for registries (config.json); "" = none is needed.
	PullSecret string
	// Tolerations are taints that the pods tolerate, as kubectl taint writes them: KEY[=VALUE][:EFFECT].
	Tolerations []string
	// NodeSelector are labels that their nodes must have: KEY=VALUE.
	NodeSelector []string
}

// fill adds to the data of a fixture what its pod spec needs.
func (p Placement) fill(data map[string]string) (map[string]string, error) {
	tolerations, err := p.tolerations()
	if err != nil {
		return nil, err
	}
	selector, err := p.nodeSelector()
	if err != nil {
		return nil, err
	}
	config, err := p.pullConfig()
	if err != nil {
		return nil, err
	}
	secrets := []corev1.LocalObjectReference{}
	if config != "" {
		secrets = append(secrets, corev1.LocalObjectReference{Name: fixtures.PullSecret})
	}
	data["PullConfig"], data["MadeFrom"] = config, images.ProbeMadeFrom()
	for key, value := range map[string]any{"PullSecrets": secrets, "Tolerations": tolerations, "NodeSelector": selector} {
		text, err := json.Marshal(value) // which is YAML too, on one line
		if err != nil {
			return nil, err
		}
		data[key] = string(text)
	}
	return data, nil
}

// check names what cannot be, before anything is changed.
func (p Placement) check() error {
	_, err := p.fill(map[string]string{})
	return err
}

func (p Placement) tolerations() ([]corev1.Toleration, error) {
	all := []corev1.Toleration{}
	for _, text := range p.Tolerations {
		taint, effect, hasEffect := strings.Cut(text, ":")
		key, value, hasValue := strings.Cut(taint, "=")
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffect(effect)}
		if hasValue {
			t.Operator, t.Value = corev1.TolerationOpEqual, value
		}
		effects := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}
		if hasEffect && !slices.Contains(effects, t.Effect) {
			return nil, fmt.Errorf("--toleration %q: the effect is NoSchedule, PreferNoSchedule or NoExecute", text)
		}
		if err := checkLabel(key, value); err != nil {
			return nil, fmt.Errorf("--toleration %q: use KEY[=VALUE][:EFFECT], as kubectl taint writes it: %w", text, err)
		}
		all = append(all, t)
	}
	return all, nil
}

func (p Placement) nodeSelector() (map[string]string, error) {
	all := map[string]string{}
	for _, text := range p.NodeSelector {
		key, value, is := strings.Cut(text, "=")
		if !is {
			return nil, fmt.Errorf("--node-selector %q: use KEY=VALUE, a label of the nodes", text)
		}
		if err := checkLabel(key, value); err != nil {
			return nil, fmt.Errorf("--node-selector %q: use KEY=VALUE, a label of the nodes: %w", text, err)
		}
		if other, twice := all[key]; twice && other != value {
			return nil, fmt.Errorf("--node-selector gives %s twice, as %s and as %s, and no node has both: give it once", key, other, value)
		}
		all[key] = value
	}
	return all, nil
}

func checkLabel(key, value string) error {
	if wrong := slices.Concat(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)); len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// Registries are those of which the pull secret's file holds credentials; nil without a file.
func (p Placement) Registries() ([]string, error) {
	config, err := p.pullFile()
	if err != nil || config == nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(config.Auths)), nil
}

// pullConfig gives the registries' part of the file, in base64 as a Secret holds it; "" without a file. What else the file
// holds stays where it is, and no error repeats what it says.
func (p Placement) pullConfig() (string, error) {
	config, err := p.pullFile()
	if err != nil || config == nil {
		return "", err
	}
	kept, err := json.Marshal(config)
	return base64.StdEncoding.EncodeToString(kept), err
}

// pullFile is what of docker's configuration a pull secret holds.
type pullFile struct {
	Auths map[string]pullAuth `json:"auths"`
}

type pullAuth struct {
	Auth     string `json:"auth,omitempty"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// pullFile reads the file; nil when none is given.
func (p Placement) pullFile() (*pullFile, error) {
	if p.PullSecret == "" {
		return nil, nil
	}
	const use = "give the path of a file as docker login writes it (config.json)"
	text, err := os.ReadFile(p.PullSecret)
	if err != nil {
		return nil, fmt.Errorf("--image-pull-secret: %w: %s", err, use)
	}
	var config pullFile
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("--image-pull-secret %s: it is no JSON of that form: %s", p.PullSecret, use)
	}
	for registry, a := range config.Auths {
		if a.Auth == "" && a.Username == "" {
			return nil, fmt.Errorf("--image-pull-secret %s: for %s it names no credentials (a credential helper of this machine keeps them, and nodes have none): log in without a helper, to a file of its own (docker --config DIR login)", p.PullSecret, registry)
		}
	}
	if len(config.Auths) == 0 {
		return nil, fmt.Errorf("--image-pull-secret %s: it holds no auths: %s", p.PullSecret, use)
	}
	return &config, nil
}
