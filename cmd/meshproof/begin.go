package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshproof/meshproof/framework/intent"
	"github.com/meshproof/meshproof/framework/session"
)

// beginFlags say where a run on given clusters takes the guide up.
func beginFlags(c *cobra.Command, b *session.Beginning) {
	fromFlag(c, b)
	c.Flags().BoolVar(&b.ReadOnly, "read-only", false, "deploy nothing on given clusters and send no traffic: look only, and skip the claims that need more")
}

// fromFlag says where.
func fromFlag(c *cobra.Command, b *session.Beginning) {
	c.Flags().StringVar((*string)(&b.From), "from", "", fmt.Sprintf("where a run on given clusters begins: %s (it brings the control planes to clusters without Istio), %s, %s, %s or %s; what is before it must be there, and is not touched (default: %s; on kind %s)",
		intent.FromInstall, intent.FromGateway, intent.FromExpose, intent.FromJoin, intent.FromVerify, intent.FromGateway, intent.FromInstall))
	completed(c, "from", func() []string {
		var all []string
		for _, one := range intent.Begins() {
			all = append(all, string(one))
		}
		return all
	})
}

// namespaceFlag names the namespace of the guide's sample.
func namespaceFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "namespace", "", fmt.Sprintf("namespace that the run makes for the guide's sample, or in which --read-only looks for it, where %[1]s is somebody's (default: %[1]s, as the guide has it)", intent.GuideNamespace))
}
