package preflight

import (
	"errors"
	"os/exec"
	"strings"

	"github.com/meshproof/meshproof/framework/mesh/asm"
	"github.com/meshproof/meshproof/framework/procedure"
)

func asmcliProgram(v Seen[string]) Row {
	const name = "asmcli"
	switch {
	case errors.Is(v.Err, asm.ErrUnfit):
		return failed(name, v.Err.Error(), "give programs that can be used here, in directories without blanks, with --asmcli and --gcloud")
	case v.Err != nil:
		return unseen(name, v.Err)
	}
	return ok(name, "asmcli "+v.Value)
}

// asmcliNeeds judges the programs that asmcli calls. What it does with a kpt of 1.x was not seen: it asks for a version 0.
func asmcliNeeds(a Asmcli) Row {
	const name = "asmcli's tools"
	noKpt := errors.Is(a.Kpt.Err, exec.ErrNotFound)
	switch {
	case len(a.Lacking) > 0:
		return failed(name, "not on the PATH: "+strings.Join(a.Lacking, ", "), "install them: asmcli ends without them, before it does anything")
	case a.Kpt.Err != nil && !noKpt:
		return unknown(name, "kpt does not say its version: "+a.Kpt.Err.Error(), "take that kpt from the PATH, or see that kpt version works")
	case !noKpt && !strings.HasPrefix(strings.TrimPrefix(a.Kpt.Value, "v"), "0."):
		return unknown(name, "kpt is "+a.Kpt.Value+", and asmcli asks for 0.x", "put a kpt 0.x first on the PATH, or none at all")
	case noKpt && a.Downloads:
		return ok(name, "all are on the PATH but kpt, which asmcli downloads, as it does a release")
	case noKpt:
		return ok(name, "all are on the PATH but kpt, which it does without (--offline)")
	}
	return ok(name, "all are on the PATH, kpt "+a.Kpt.Value)
}

// joinRows judges what S8 takes for granted of a cluster. A run refuses such clusters wherever it begins.
func joinRows(f Facts, c Cluster) []Row {
	var rows []Row
	if !f.ByID {
		rows = append(rows, contextRow(c, f.Host.Asmcli != nil && c.Name == f.Clusters[0].Name))
	}
	if f.Host.Asmcli != nil {
		rows = append(rows, member(c.Member))
	}
	return rows
}

// contextRow judges the name that S8 makes of a context; first tells that it is the one by which asmcli knows the platform.
func contextRow(c Cluster, first bool) Row {
	const name = "context"
	secret, renaming := procedure.RemoteName(c.Context), "("+procedure.Renaming(c.Kubeconfig, c.Context)+")"
	switch {
	case first && asm.OnGoogleCloud(c.Context):
		return failed(name, c.Context+" contains gke_, by which asmcli takes all clusters for ones on Google Cloud", "rename the context "+renaming)
	case !procedure.Nameable(secret):
		return failed(name, "S8 makes the name "+secret+" of "+c.Context+", which Kubernetes refuses for a remote secret", "rename the context to lower-case letters, digits and '-' "+renaming+", or give --remote-names cluster-id")
	}
	return ok(name, "S8 names the cluster "+secret)
}

// member judges whether asmcli would leave the fleet as it is.
func member(m Seen[bool]) Row {
	const name = "fleet"
	switch {
	case m.Err != nil:
		return unknown(name, m.Err.Error(), "allow the user to get "+asm.Membership().String()+" (meshproof rbac --asmcli)")
	case !m.Value:
		return failed(name, "there is no "+asm.Membership().String()+": asmcli would register the cluster, which no run takes back", "register it first (gcloud container fleet memberships register)")
	}
	return ok(name, "it is registered")
}
