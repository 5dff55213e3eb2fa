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

	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/progress"
	"github.com/meshproof/meshproof/framework/session"
)

func proveCommand() *cobra.Command {
	var (
		o                      session.Options
		only                   []string
		table                  string
		verbose, show, secrets bool
	)
	c := &cobra.Command{
		Use:   "prove",
		Short: "Prove the suite itself: plant faults one by one and see that each is named",
		Long: `Makes a mesh on two kind clusters, sees that it passes, and then puts in one fault at a time.
Each must be judged with the declared verdict and the declared cause; then it is taken out,
and the mesh must pass again. It ends with code 1 when a fault was not named.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			faults, err := chosen(only)
			if err != nil {
				return err
			}
			if show {
				listFaults(faults)
				return nil
			}
			o.Samples, o.Alpha = 600, 1e-8
			kindDefaults(&o)
			return shown(c.Context(), progress.Options{Verbose: verbose}, func(t *progress.Teller) error {
				return prove(c.Context(), o, t, faults, table, secrets)
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&only, "only", nil, "ids of the faults to plant (default: all)")
	f.BoolVar(&show, "list", false, "list the faults and what each must be named, and do nothing")
	f.BoolVar(&secrets, "secrets", true, "at the end plant canaries too, and search all that was written for them and for the clusters' secrets")
	f.StringVar(&table, "table", "", "write the table of what came of it to this file, as Markdown")
	f.StringVar(&o.ReportDir, "report-dir", "", "where the evidence of each judgement goes (default: reports/RUN-ID)")
	f.BoolVarP(&verbose, "verbose", "v", false, "print also what is being done and waited for")
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

func listFaults(faults []fault.Fault) {
	w := tabwriter.NewWriter(progress.Guarded(os.Stdout), 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tVERDICT\tCAUSE\tWHAT IS DONE")
	for _, f := range faults {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, f.Verdict, f.Cause, f.Sentence)
	}
	_ = w.Flush()
}

func prove(ctx context.Context, o session.Options, t *progress.Teller, faults []fault.Fault, table string, secrets bool) error {
	s, err := begin(t, o)
	if err != nil {
		return err
	}
	out := t.Writer(progress.Guarded(os.Stdout))
	var proofs []session.Proof
	var search session.Search
	err = s.Stand(ctx)
	if err == nil {
		err = s.Prove(ctx, faults, func(p session.Proof) {
			proofs = append(proofs, p)
			fmt.Fprintln(out, proofLine(p))
		})
	}
	if err == nil && secrets {
		if search, err = s.SearchSecrets(ctx); err == nil {
			tellSearch(out, search)
		}
	}
	err = errors.Join(err, s.Close(ctx))
	named := 0
	for _, p := range proofs {
		if p.Named {
			named++
		}
	}
	if table != "" {
		if writeErr := os.WriteFile(table, []byte(proofTable(proofs, len(faults), search)), 0o644); writeErr != nil {
			err = errors.Join(err, fmt.Errorf("write the table of proofs: %w: give --table a file that can be written", writeErr))
		}
	}
	fmt.Fprintf(out, "prove: %d of %d named\n", named, len(faults))
	if err == nil && (named < len(faults) || len(search.Leaks) > 0) {
		return exitError(1)
	}
	return err
}

func tellSearch(w io.Writer, s session.Search) {
	for _, l := range s.Leaks {
		fmt.Fprintf(w, "LEAK       %s holds %s (%s)\n", l.File, l.Secret, l.Encoding)
	}
	fmt.Fprintf(w, "secrets: %d of %d found in %d files\n", len(s.Leaks), s.Secrets, s.Files)
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

// proofTable is docs/self-proof.md.
func proofTable(proofs []session.Proof, of int, search session.Search) string {
	var b strings.Builder
	named := 0
	for _, p := range proofs {
		if p.Named {
			named++
		}
	}
	fmt.Fprintf(&b, "# The suite's own proof\n\nWritten by `make prove`: a healthy mesh on two kind clusters, one fault at a time, judged, repaired, and judged again. A fault\n"+
		"counts as named when verdict and cause are those that it declares, and no other cause is named beside them, except those\n"+
		"that are declared to come with it. After every repair the mesh passed.\n\n%d of %d named.\n\n", named, of)
	b.WriteString("| fault | what is done | expected | got | time to verdict, s | named |\n|---|---|---|---|---|---|\n")
	for _, p := range proofs {
		yes := "yes"
		if !p.Named {
			yes = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s, %s | %s | %.1f | %s |\n", p.Fault.ID, p.Fault.Sentence, p.Fault.Verdict, p.Fault.Cause,
			strings.ReplaceAll(got(p), "|", "\\|"), p.Took.Seconds(), yes)
	}
	if search.Files > 0 {
		fmt.Fprintf(&b, "\nSecrets: %d places found, of %d secrets (private keys, tokens and a planted canary; plain, base64 once and twice, hex, URL),\n"+
			"in the %d files that were written.\n", len(search.Leaks), search.Secrets, search.Files)
	}
	return b.String()
}
