package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"strata/backup"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/whatif"
)

// supposing is what plan supposes to become of nodes.
type supposing struct {
	cases []string
	form  planForm
}

func (s *supposing) flag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.cases, "if", nil, "say what would become of volumes if `NODE=LOSS`, of what there is now: down, lost (for good, with its disks) or suspended; may be repeated")
}

// notWith are the flags of plan that are for a plan that is carried out, or of another time.
var notWith = map[string]string{
	"out":               "what is supposed is never carried out, and nothing is saved of it",
	"at":                "it is of now",
	"only":              "it is of the whole cluster",
	"except":            "it is of the whole cluster",
	"destroy":           "what is supposed is never carried out",
	"policy":            "rules are for what is carried out",
	"was":               "rules are for what is carried out",
	"detailed-exitcode": "its exit code says whether a volume would stop",
	"explain":           "it says what would become of each volume",
}

// check refuses what does not go with it, by name.
func (s *supposing) check(cmd *cobra.Command) error {
	for _, name := range []string{"out", "at", "only", "except", "destroy", "policy", "was", "detailed-exitcode", "explain"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			return fmt.Errorf("--%s does not go with --if: %s", name, notWith[name])
		}
	}
	return nil
}

// show answers, and ends with exitStops if a volume would stop.
func (s *supposing) show(cmd *cobra.Command, src *source, cfg *schema.Config, snap *state.Snapshot, opt plan.Options) error {
	cases, err := whatif.Parse(cfg, s.cases)
	if err != nil {
		return fmt.Errorf("--if %w", err)
	}
	if unreached(cfg, snap) {
		return errUnreached
	}
	opt.Catalog = src.archivesOf(cfg).Look(cmd.Context(), cfg.ArchivesInUse())
	defer src.closeArchives()
	opt.Images = backup.LookAtImages(cfg.ImageFiles())
	a, err := whatif.Ask(cfg, snap, opt, cases)
	if err != nil {
		return err
	}
	if err := s.print(cmd.OutOrStdout(), a); err != nil {
		return err
	}
	if a.Stops > 0 {
		return exitStops
	}
	return nil
}

func (s *supposing) print(out io.Writer, a *whatif.Answer) error {
	switch {
	case s.form.json:
		return printJSON(out, a)
	case s.form.markdown:
		return a.Markdown(out)
	case s.form.quiet:
		_, err := fmt.Fprintln(out, a.Summary)
		return err
	}
	if err := a.Print(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", a.Heading())
	if err := s.form.print(out, a.Plan); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", a.Summary)
	return err
}
