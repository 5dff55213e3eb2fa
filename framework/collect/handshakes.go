package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meshproof/meshproof/framework/evidence"
)

// Attempt is one way to ask a gateway for helloworld. Certificate and Key are the client's as PEM; they go to the probe on
// its standard input, and nowhere else.
type Attempt struct {
	// As is the name in the evidence, one of evidence.As....
	As    string
	Plain bool
	SNI   string
	ALPN  []string

	Certificate, Key string
	Host, Path       string
}

// attemptSeconds bounds one attempt; Options.Request, which bounds the exec, is longer.
const attemptSeconds = 5

// handshakes makes every attempt with every target from the cluster's probe pod, in one exec. What comes of an attempt is
// evidence, not an error; the error says that the probe could not be asked, or did not answer for each.
func (s source) handshakes(ctx context.Context, o Options, targets []Target) ([]evidence.Handshake, error) {
	pods, err := s.running(ctx, o.Probe.Namespace, o.Probe.Selector)
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("ask the gateways from cluster %s: no probe pod %q runs in namespace %s", s.name, o.Probe.Selector, o.Probe.Namespace)
	}
	type request struct {
		Name        string   `json:"name"`
		Address     string   `json:"address"`
		Plain       bool     `json:"plain,omitempty"`
		SNI         string   `json:"sni,omitempty"`
		ALPN        []string `json:"alpn,omitempty"`
		Certificate string   `json:"certificate,omitempty"`
		Key         string   `json:"key,omitempty"`
		Host        string   `json:"host"`
		Path        string   `json:"path"`
	}
	var asked []request
	made := []evidence.Handshake{}
	probe, at := pods[0], now()
	for _, t := range targets {
		for _, a := range o.Attempts(s.name) {
			asked = append(asked, request{Name: fmt.Sprint(len(asked)), Address: t.Address, Plain: a.Plain, SNI: a.SNI, ALPN: a.ALPN,
				Certificate: a.Certificate, Key: a.Key, Host: a.Host, Path: a.Path})
			made = append(made, evidence.Handshake{At: at, To: t.To, Pod: probe.Name, Address: t.Address, As: a.As})
		}
	}
	if len(asked) == 0 {
		return made, nil
	}
	input, err := json.Marshal(map[string]any{"seconds": attemptSeconds, "attempts": asked})
	if err != nil {
		return nil, fmt.Errorf("ask the gateways from cluster %s: %w", s.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	stdout, stderr, err := s.Feed(ctx, bytes.NewReader(input), probe.Namespace, probe.Name, probe.Spec.Containers[0].Name, o.Probe.command("tls")...)
	if err != nil {
		err = fmt.Errorf("%w%s", err, said(stderr))
	}
	answered, parseErr := answers(stdout, made)
	return answered, errors.Join(err, parseErr)
}

// answers reads the probe's lines, one JSON object each, in the order in which it was asked. It gives those that there are.
func answers(stdout []byte, asked []evidence.Handshake) ([]evidence.Handshake, error) {
	made := []evidence.Handshake{}
	for line := range bytes.Lines(stdout) {
		if len(made) == len(asked) {
			break
		}
		a := struct {
			Name string `json:"name"`
			evidence.Handshake
		}{Handshake: asked[len(made)]} // the probe's keys are the evidence's; who asked whom it does not know
		if err := json.Unmarshal(line, &a); err != nil || a.Name != fmt.Sprint(len(made)) {
			return made, fmt.Errorf("ask the gateways: answer %d of %d cannot be read: %.80q", len(made)+1, len(asked), line)
		}
		made = append(made, a.Handshake)
	}
	if len(made) < len(asked) {
		return made, fmt.Errorf("ask the gateways: %d of %d answers came", len(made), len(asked))
	}
	return made, nil
}
