package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/draft"
	"strata/machine"
	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/state"
)

func newImport() *cobra.Command {
	var (
		src    source
		file   string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "import [DIR | FILE...]",
		Short: "Write down, as CUE, what the nodes have and the configuration lacks",
		Long: `import reads the nodes of a configuration, which needs no more than those, and
writes what it lacks of what is there: pools for the lvstores on their disks,
and volumes that carry the cluster's names. So a configuration that was lost is
found again, but for what targets do not keep. Lvols of somebody else's, which
could be adopted, are commented out.

Then it plans with both. The plan should be empty; if it is not, import says
what is left to do, and ends with 3. It changes nothing on the nodes.

Exit codes: 0 what was written says all there is, 1 error, 3 it does not.`,
		Example: `  strata import nodes.cue                       # cluster, and rpc and address of each node
  strata import --out found.cue nodes.cue && strata plan nodes.cue found.cue`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := mayWrite(file); err != nil {
				return err
			}
			cfg, err := src.load(args)
			if err != nil {
				return err
			}
			pkg, err := schema.Package(src.paths(args))
			if err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			snap := state.Read(cmd.Context(), cfg.Cluster, targets)
			now := time.Now().Unix()
			name := cmp.Or(file, "imported.cue")
			beside := func(text []byte) (*schema.Config, error) {
				return src.within(func() (*schema.Config, error) {
					return schema.LoadBeside(src.paths(args), src.given(), name, text)
				})
			}
			d, err := draft.Make(cfg, snap, pkg, now, func(text []byte) error {
				_, err := beside(text)
				return err
			})
			if err != nil {
				return err
			}
			found := d.Found()
			all, errLoad := cfg, error(nil)
			if found {
				all, errLoad = beside(d.Text)
				if err := writeDraft(cmd.OutOrStdout(), file, d, asJSON); err != nil {
					return err
				}
			}
			if errLoad != nil {
				return fmt.Errorf("what was found does not go with the configuration:\n%w", errLoad)
			}
			p, err := recipe.Build(all, snap, plan.Options{Now: now})
			if err != nil {
				return err
			}
			o := p.Outline(all.Cluster)
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), imported(file, d, o)); err != nil {
					return err
				}
			} else if err := tellImport(cmd.ErrOrStderr(), file, d, o); err != nil {
				return err
			}
			if !p.Empty() || len(p.Blocked) > 0 || d.Short {
				return exitDiffers
			}
			return nil
		},
	}
	src.targetFlags(cmd)
	cmd.Flags().StringVar(&file, "out", "", "write to `FILE`, which must not exist, instead of standard output")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it, and the plan, as JSON")
	return cmd
}

func imported(file string, d *draft.Draft, o *plan.Outline) machine.Import {
	out := machine.Import{
		Format: machine.Format, File: file, Pools: d.Pools, Volumes: d.Volumes, Offers: d.Offers, Strange: d.Strange, Left: []plan.Remark{}, Plan: o,
	}
	if d.Found() {
		out.Text = string(d.Text)
	}
	for _, r := range d.Left {
		out.Left = append(out.Left, plan.Remark{About: r.About, Text: r.Text})
	}
	return out
}

// mayWrite makes sure, before any node is asked, that a file can be written.
func mayWrite(file string) error {
	if file == "" {
		return nil
	}
	if !strings.HasSuffix(file, ".cue") {
		return fmt.Errorf("--out %s: what is written is CUE, and its file ends in .cue", file)
	}
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("--out %s: it exists, and is not written over", file)
	}
	return nil
}

func writeDraft(out io.Writer, file string, d *draft.Draft, asJSON bool) error {
	if file == "" {
		if asJSON {
			return nil
		}
		_, err := out.Write(d.Text)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(d.Text)
	return errors.Join(err, f.Close())
}

// tellImport says what was found, what was not written, and what a plan on it
// would do.
func tellImport(w io.Writer, file string, d *draft.Draft, o *plan.Outline) error {
	o = inLines(o)
	for _, r := range d.Left {
		r = *inLines(&r)
		fmt.Fprintf(w, "%s %s: %s\n", worry.Render("not written:"), r.About, r.Text)
	}
	with := "strata plan"
	if d.Found() {
		to := ""
		if file != "" {
			to = " in " + file
		}
		fmt.Fprintf(w, "Found%s: %s.\n", to, d.Counts())
		with = "With it, strata plan"
	} else {
		fmt.Fprintln(w, "The configuration lacks nothing that was found.")
	}
	if len(o.Passes)+len(o.Blocked) == 0 {
		fmt.Fprintln(w, with+" has nothing to do.")
		for _, n := range o.Notes {
			fmt.Fprintf(w, "note: %s: %s\n", n.About, n.Text)
		}
		return nil
	}
	fmt.Fprintf(w, "%s says:\n\n", with)
	return o.Compact(w)
}
