package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/images"
)

// program is what `meshproof version` says.
type program struct {
	Version string `json:"version"`
	// Revision is the commit that it was built from, Time the commit's; "" when the build did not know them. Modified tells
	// that the files were not as committed.
	Revision string       `json:"revision,omitempty"`
	Time     string       `json:"time,omitempty"`
	Modified bool         `json:"modified,omitempty"`
	Go       string       `json:"go"`
	Platform string       `json:"platform"`
	Pinned   []images.Pin `json:"pinned"`
}

func versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print this program's version and everything that it pins",
		Long: `Prints this program's version, the commit that it was built from, its Go, and every module,
program and image that a run is made from, with the versions that are pinned (--output json:
with their checksums too). Nothing is asked of any network.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			pins, err := images.Pins()
			if err != nil {
				return err
			}
			info, _ := debug.ReadBuildInfo() // without it only Go and the pins are told
			p := describe(info, pins)
			if output == asJSON {
				return printJSON(c.OutOrStdout(), p)
			}
			return printVersion(c.OutOrStdout(), p)
		},
	}
	outputFlag(c, &output, asText, asJSON)
	return c
}

func describe(info *debug.BuildInfo, pins []images.Pin) program {
	p := program{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Pinned: pins}
	if info == nil {
		return p
	}
	if info.Main.Version != "" {
		p.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			p.Revision = s.Value
		case "vcs.time":
			p.Time = s.Value
		case "vcs.modified":
			p.Modified = s.Value == "true"
		}
	}
	return p
}

func printVersion(w io.Writer, p program) error {
	built := "commit unknown"
	if p.Revision != "" {
		built = strings.TrimSpace("commit " + p.Revision + " " + p.Time)
	}
	if p.Modified {
		built += ", with changes"
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(table, "meshproof\t%s\t%s\n", p.Version, built)
	fmt.Fprintf(table, "go\t%s\t%s\n\n", p.Go, p.Platform)
	fmt.Fprintln(table, "PINNED\tVERSION\tKIND\tFROM")
	for _, pin := range p.Pinned {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", pin.Name, pin.Version, pin.Kind, pin.From)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the version: %w", err)
	}
	return nil
}
