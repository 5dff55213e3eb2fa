package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/exitcode"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

func proveCommand() *cobra.Command {
	var (
		o             session.Options
		shows         showing
		only          []string
		table         string
		show, secrets bool
	)
	c := &cobra.Command{
		Use:   "prove",
		Short: "Prove the suite itself: plant faults one by one and see that each is named",
		Long: `Makes a mesh on two kind clusters, sees that it passes, and then puts in one fault at a time.
Each must be judged with the declared verdict and the declared cause; then it is taken out,
and the mesh must pass again. At the end all that was written is searched for secrets. It ends
with code 1 when a fault was not named, or a secret was found.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			faults, err := chosen(only)
			if show {
				if err != nil {
					return err
				}
				return listFaults(c.OutOrStdout(), faults, shows.output)
			}
			o.Samples, o.Alpha = defaultSamples, defaultAlpha
			kindDefaults(&o)
			return shows.acts(c, false, func(t *progress.Teller, out io.Writer) (progress.Result, error) {
				if err != nil {
					return progress.Result{}, err
				}
				p := &proving{t: t, w: out, faults: faults, secrets: secrets, table: table}
				return p.prove(c.Context(), o)
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&only, "only", nil, "ids of the faults to plant (default: all)")
	f.BoolVar(&show, "list", false, "list the faults and what each must be named, and do nothing")
	f.BoolVar(&secrets, "secrets", true, "at the end plant canaries too, and search all that was written for them and for the clusters' secrets")
	f.StringVar(&table, "table", "", "write the table of what came of it to this file, as Markdown")
	f.StringVar(&o.ReportDir, "report-dir", "", "where the evidence of each judgement goes (default: reports/RUN-ID)")
	shows.add(c)
	meshFlags(f, &o)
	imageFlags(f, &o.Images)
	configured(c)
	return c
}

func chosen(only []string) ([]fault.Fault, error) {
	if len(only) == 0 {
		return fault.All(), nil
	}
	var all []fault.Fault
	for _, id := range only {
		f, known := fault.Get(id)
		if !known {
			return nil, &session.UsageError{Err: fmt.Errorf("--only %s: there is no such fault: see meshproof prove --list", id)}
		}
		all = append(all, f)
	}
	return all, nil
}

// listedFault is what --list says of a fault as JSON.
type listedFault struct {
	ID       string        `json:"id"`
	Verdict  claim.Verdict `json:"verdict"`
	Cause    string        `json:"cause"`
	Sentence string        `json:"sentence"`
}

func listFaults(out io.Writer, faults []fault.Fault, output string) error {
	var all []listedFault
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tVERDICT\tCAUSE\tWHAT IS DONE")
	for _, f := range faults {
		all = append(all, listedFault{f.ID, f.Verdict, f.Cause, f.Sentence})
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, f.Verdict, f.Cause, f.Sentence)
	}
	if output == asJSON {
		return printJSON(out, all)
	}
	return w.Flush()
}

// proving is the suite's proof: what is planted, and what came of it. It tells that, and prints it.
type proving struct {
	t       *progress.Teller
	w       io.Writer
	faults  []fault.Fault
	secrets bool
	table   string // the file for it, "" for none

	proofs []session.Proof
	search session.Search
}

// prove makes the mesh, plants every fault, and removes all again.
func (p *proving) prove(ctx context.Context, o session.Options) (progress.Result, error) {
	s, err := begin(p.t, o)
	if err != nil {
		return progress.Result{}, err
	}
	if err = s.Stand(ctx); err == nil {
		err = s.Prove(ctx, p.faults, p.add)
	}
	if err == nil && p.secrets {
		if p.search, err = s.SearchSecrets(ctx); err == nil {
			p.tellSearch()
		}
	}
	return p.end(s.Options().ReportDir, errors.Join(err, s.Close(ctx)))
}

func (p *proving) add(one session.Proof) {
	p.proofs = append(p.proofs, one)
	p.t.Proof(one)
	fmt.Fprintln(p.w, proofLine(one))
}

func (p *proving) tellSearch() {
	for _, l := range p.search.Leaks {
		p.t.Leak(l)
		fmt.Fprintf(p.w, "LEAK       %s holds %s (%s)\n", l.File, l.Secret, l.Encoding)
	}
	fmt.Fprintf(p.w, "secrets: %d of %d found in %d files\n", len(p.search.Leaks), p.search.Secrets, p.search.Files)
}

func (p *proving) named() int {
	named := 0
	for _, one := range p.proofs {
		if one.Named {
			named++
		}
	}
	return named
}

// end writes the table, prints the last line, and gives what came of it all.
func (p *proving) end(dir string, err error) (progress.Result, error) {
	if p.table != "" {
		if writeErr := os.WriteFile(p.table, []byte(p.page(err)), 0o644); writeErr != nil {
			err = errors.Join(err, fmt.Errorf("write the table of proofs: %w: give --table a file that can be written", writeErr))
		}
	}
	fmt.Fprintf(p.w, "prove: %d of %d named\n", p.named(), len(p.faults))
	r := progress.Result{Report: dir, Proved: &progress.Proved{Named: p.named(), Of: len(p.faults)}}
	if p.search.Files > 0 {
		r.Search = &progress.Search{Leaks: len(p.search.Leaks), Secrets: p.search.Secrets, Files: p.search.Files}
	}
	if err == nil && (p.named() < len(p.faults) || len(p.search.Leaks) > 0) {
		return r, exitError(exitcode.Failed)
	}
	return r, err
}

func got(p session.Proof) string {
	if p.Err != nil && p.Verdict == "" {
		return "not judged: " + strings.Join(strings.Fields(p.Err.Error()), " ")
	}
	causes := strings.Join(p.Causes, ", ")
	if causes == "" {
		causes = "no cause"
	}
	return fmt.Sprintf("%s, %s", p.Verdict, causes)
}

func proofLine(p session.Proof) string {
	word := "named"
	if !p.Named {
		word = "NOT NAMED"
	}
	return fmt.Sprintf("%-10s %-30s expected %s, %s; got %s; %.1f s", word, p.Fault.ID, p.Fault.Verdict, p.Fault.Cause, got(p), p.Took.Seconds())
}

// page is docs/self-proof.md. The error is that with which the proof broke off, or could not be cleaned up.
func (p *proving) page(err error) string {
	var b strings.Builder
	after := "After every repair the mesh passed."
	if err != nil {
		after = fmt.Sprintf("**This proof did not end well, after %d of %d faults:** %s", len(p.proofs), len(p.faults), oneLine(err.Error()))
	}
	fmt.Fprintf(&b, "# The suite's own proof\n\nWritten by `make prove`: a healthy mesh on two kind clusters, one fault at a time, judged, repaired, and judged again. A fault\n"+
		"counts as named when verdict and cause are those that it declares, and no other cause is named beside them, except those\n"+
		"that are declared to come with it. %s\n\n%d of %d named.\n\n", after, p.named(), len(p.faults))
	b.WriteString("| fault | what is done | expected | got | time to verdict, s | named |\n|---|---|---|---|---|---|\n")
	for _, one := range p.proofs {
		yes := "yes"
		if !one.Named {
			yes = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s, %s | %s | %.1f | %s |\n", one.Fault.ID, one.Fault.Sentence, one.Fault.Verdict, one.Fault.Cause,
			strings.ReplaceAll(got(one), "|", "\\|"), one.Took.Seconds(), yes)
	}
	if p.search.Files > 0 {
		fmt.Fprintf(&b, "\nSecrets: %d places found, of %d secrets (private keys, tokens and a planted canary; plain, base64 once and twice, hex, URL),\n"+
			"in the %d files that were written.\n", len(p.search.Leaks), p.search.Secrets, p.search.Files)
	}
	return b.String()
}
