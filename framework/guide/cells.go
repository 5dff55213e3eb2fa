package guide

import (
	"fmt"
	"strings"
)

// Cell is one combination of platform and CA that the guide offers.
type Cell struct {
	// Group is the guide's tab: "anthos" or "attached".
	Group    string `json:"group"`
	Platform string `json:"platform"`
	CA       string `json:"ca"`
	// PilotCertProvider is what the guide's gateway command sets.
	PilotCertProvider string `json:"pilotCertProvider"`
	// ControlPlane is what the control plane itself has.
	ControlPlane struct {
		Before string `json:"before"`
		Since  string `json:"since"`
	} `json:"controlPlane"`
}

// CA is what a certificate authority means for the running mesh.
type CA struct {
	ID      string `json:"id"`
	TitleJA string `json:"titleJA"`
	// TrustDomain has the placeholder FLEET_PROJECT_ID in it where the CA's identities belong to a fleet.
	TrustDomain string `json:"trustDomain"`
	// Precondition is what cross-cluster trust needs before the guide begins.
	Precondition string `json:"precondition"`
}

// Group is one of the guide's tabs.
type Group struct {
	ID      string `json:"id"`
	TitleJA string `json:"titleJA"`
}

type cellsFile struct {
	Groups []Group `json:"groups"`
	Cells  []Cell  `json:"cells"`
	CAs    []CA    `json:"cas"`
}

// Cells gives every combination of platform and CA that the guide offers.
func Cells() ([]Cell, error) {
	var f cellsFile
	err := load("cells.yaml", &f)
	return f.Cells, err
}

// CAs gives the guide's certificate authorities.
func CAs() ([]CA, error) {
	var f cellsFile
	err := load("cells.yaml", &f)
	return f.CAs, err
}

// PilotCertProvider gives the word that the guide's gateway command sets for a platform and a CA. A platform that the
// guide does not name (kind, or clusters of an unspecified platform) gets the word on which all of the CA's cells agree.
func PilotCertProvider(platform, ca string) (string, error) {
	cells, err := Cells()
	if err != nil {
		return "", err
	}
	words, named := map[string]bool{}, false
	var offered []string
	word := ""
	for _, c := range cells {
		if c.Platform == platform {
			named = true
			offered = append(offered, c.CA)
		}
		if c.CA != ca {
			continue
		}
		if c.Platform == platform {
			return c.PilotCertProvider, nil
		}
		word = c.PilotCertProvider
		words[word] = true
	}
	switch {
	case named:
		return "", fmt.Errorf("look up the guide's command for CA %q on platform %s: the guide does not offer it there: use %s", ca, platform, strings.Join(offered, " or "))
	case len(words) == 0:
		return "", fmt.Errorf("look up the guide's command for CA %q: the guide has no such CA: use mesh-ca, ca-service or istio-ca", ca)
	case len(words) > 1:
		return "", fmt.Errorf("look up the guide's command for CA %q on platform %q: the guide does not name the platform, and its platforms differ for this CA: name one of them", ca, platform)
	}
	return word, nil
}
