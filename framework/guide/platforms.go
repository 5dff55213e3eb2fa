package guide

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/intent"
)

// Page is the page that the data stand for.
type Page struct {
	Titles
	Source  string `json:"source"`
	Licence string `json:"licence"`
}

// Titles are the names of one thing in the editions of the page.
type Titles struct {
	Title   string `json:"title"`
	TitleJA string `json:"titleJA,omitempty"`
	// Also holds further names under which a page is recognised.
	Also []string `json:"also,omitempty"`
}

// Names gives all names, the English one first.
func (t Titles) Names() []string {
	all := append([]string{t.Title, t.TitleJA}, t.Also...)
	return slices.DeleteFunc(all, func(n string) bool { return n == "" })
}

// Item is one line of the page's list of platforms.
type Item struct {
	Titles
	Platforms []string `json:"platforms"`
}

// Platform is what the guide sets up a mesh on.
type Platform struct {
	ID string `json:"id"`
	// Group is the outer tab of the page under which its commands stand.
	Group string `json:"group"`
	Title string `json:"title"`
}

// Group is one of the page's outer tabs.
type Group struct {
	ID string `json:"id"`
	Titles
	Tabs []Tab `json:"tabs"`
}

// Tab is one of the page's inner tabs: the commands for one or more CAs.
type Tab struct {
	Titles
	CAs []string `json:"cas"`
	// Words are what its commands put in the place of <name>.
	Words map[string]string `json:"words,omitempty"`
	// ControlPlane is the pilotCertProvider that the control plane itself has.
	ControlPlane ControlPlane `json:"controlPlane"`
}

// ControlPlane is a setting of the control plane before and since release 1.23.2-asm.2.
type ControlPlane struct {
	Before string `json:"before"`
	Since  string `json:"since"`
}

// CA is what a certificate authority means for the running mesh.
type CA struct {
	ID string `json:"id"`
	Titles
	// TrustDomain has the placeholder FLEET_PROJECT_ID in it where the CA's identities belong to a fleet.
	TrustDomain string `json:"trustDomain"`
	// Precondition is what cross-cluster trust needs before the guide begins.
	Precondition string `json:"precondition"`
}

// Cell is one combination of platform and CA that the guide offers.
type Cell struct {
	Platform, CA string
	// Group is the guide's outer tab: "anthos" or "attached".
	Group string
	// Words are what the cell's commands put in the place of <name>.
	Words        map[string]string
	ControlPlane ControlPlane
}

// Matrix is what the guide offers: its platforms and, by the tabs of the page, the CAs on each.
type Matrix struct {
	Page      Page       `json:"page"`
	Items     []Item     `json:"items"`
	Platforms []Platform `json:"platforms"`
	Groups    []Group    `json:"groups"`
	CAs       []CA       `json:"cas"`
}

// LoadMatrix reads the guide's platforms and CAs.
func LoadMatrix() (Matrix, error) {
	var m Matrix
	if err := load("platforms.yaml", &m); err != nil {
		return Matrix{}, err
	}
	if err := m.check(); err != nil {
		return Matrix{}, fmt.Errorf("decode guide data platforms.yaml: %w", err)
	}
	return m, nil
}

// check refuses data of which one part names what another does not have.
func (m Matrix) check() error {
	for _, p := range m.Platforms {
		if !slices.ContainsFunc(m.Groups, func(g Group) bool { return g.ID == p.Group }) {
			return fmt.Errorf("platform %s is in group %q, which is not there", p.ID, p.Group)
		}
	}
	for _, i := range m.Items {
		for _, id := range i.Platforms {
			if !slices.ContainsFunc(m.Platforms, func(p Platform) bool { return p.ID == id }) {
				return fmt.Errorf("the item %q stands for platform %q, which is not there", i.Title, id)
			}
		}
	}
	for _, g := range m.Groups {
		for _, t := range g.Tabs {
			for _, id := range t.CAs {
				if !slices.ContainsFunc(m.CAs, func(c CA) bool { return c.ID == id }) {
					return fmt.Errorf("group %s offers the CA %q, which is not there", g.ID, id)
				}
			}
		}
	}
	return nil
}

// Cells gives every combination of platform and CA, in the order of the page.
func (m Matrix) Cells() []Cell {
	var all []Cell
	for _, p := range m.Platforms {
		for _, g := range m.Groups {
			if g.ID != p.Group {
				continue
			}
			for _, t := range g.Tabs {
				for _, ca := range t.CAs {
					all = append(all, Cell{Platform: p.ID, CA: ca, Group: g.ID, Words: t.Words, ControlPlane: t.ControlPlane})
				}
			}
		}
	}
	return all
}

// Cell gives the cell of a platform and a CA. Its error names what there is.
func (m Matrix) Cell(platform, ca string) (Cell, error) {
	var platforms, offered, cas []string
	for _, p := range m.Platforms {
		platforms = append(platforms, p.ID)
	}
	for _, c := range m.CAs {
		cas = append(cas, c.ID)
	}
	for _, c := range m.Cells() {
		if c.Platform == platform && c.CA == ca {
			return c, nil
		}
		if c.Platform == platform {
			offered = append(offered, c.CA)
		}
	}
	switch {
	case !slices.Contains(platforms, platform):
		return Cell{}, fmt.Errorf("look up platform %q: the guide has no such platform: use %s", platform, either(platforms))
	case !slices.Contains(cas, ca):
		return Cell{}, fmt.Errorf("look up CA %q: the guide has no such CA: on platform %s use %s", ca, platform, either(offered))
	}
	return Cell{}, fmt.Errorf("look up CA %s on platform %s: the guide does not offer it there: use %s", ca, platform, either(offered))
}

// Words gives what the guide's commands put in the place of <name> for a platform and a CA. A platform that the guide does
// not name (kind, or clusters of an unspecified platform) gets the words on which all of the CA's cells agree.
func Words(platform, ca string) (map[string]string, error) {
	m, err := LoadMatrix()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(m.Platforms, func(p Platform) bool { return p.ID == platform }) {
		c, err := m.Cell(platform, ca)
		return c.Words, err
	}
	cells := slices.DeleteFunc(m.Cells(), func(c Cell) bool { return c.CA != ca })
	if len(cells) == 0 {
		var cas []string
		for _, c := range m.CAs {
			cas = append(cas, c.ID)
		}
		return nil, fmt.Errorf("look up the guide's commands for CA %q: the guide has no such CA: use %s", ca, either(cas))
	}
	for _, c := range cells {
		if !maps.Equal(c.Words, cells[0].Words) {
			return nil, fmt.Errorf("look up the guide's commands for CA %q on platform %q: the guide does not name the platform, and its platforms differ for this CA: name one of them (--platform)", ca, platform)
		}
	}
	return cells[0].Words, nil
}

// Covered gives the cells for which a run tells something, as "PLATFORM/CA". On kind it is about the text alone, which is the
// same for every platform with the same commands and the same CA; on somebody's clusters it is about their own platform.
func Covered(in intent.Intent) []string {
	m, err := LoadMatrix()
	if err != nil {
		return nil // the embedded data are checked by this package's tests
	}
	words, err := Words(in.Platform, in.CA)
	if err != nil {
		return nil // a CA that the guide has not
	}
	var all []string
	for _, c := range m.Cells() {
		same := in.Provision == intent.Kind && maps.Equal(c.Words, words)
		if c.CA == in.CA && (same || c.Platform == in.Platform) {
			all = append(all, c.Platform+"/"+c.CA)
		}
	}
	return all
}

// TrustDomain is that of a mesh with the CA, in a fleet.
func (m Matrix) TrustDomain(ca, fleet string) string {
	at := slices.IndexFunc(m.CAs, func(c CA) bool { return c.ID == ca })
	if at < 0 {
		return ""
	}
	return strings.ReplaceAll(m.CAs[at].TrustDomain, "FLEET_PROJECT_ID", fleet)
}

// either joins the choices of an error message.
func either(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
