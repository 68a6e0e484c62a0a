package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/graph"
	"strata/plan/recipe"
	"strata/schema"
	"strata/state"
)

// formats are the forms of a graph, the first by default.
var formats = []string{"svg", "dot", "mermaid", "json"}

func newGraph() *cobra.Command {
	cmd := newClusterGraph()
	cmd.Use = "graph [DIR | FILE...]"
	cmd.Short = "Draw the cluster, or a plan, as SVG, DOT or Mermaid"
	cmd.Long = `graph draws what there is: how hosts reach volumes, which nodes serve them, over
which links, and where the replicas are. graph plan draws what is to be done, and
what waits for what. The SVG needs nothing else to be shown.`
	cmd.Example = `  strata graph examples/lab > lab.svg
  strata graph --volume db --format mermaid .
  strata graph plan --format dot . | dot -Tpdf > plan.pdf`
	cmd.Args = cobra.ArbitraryArgs
	cluster := newClusterGraph()
	cmd.AddCommand(cluster, newPlanGraph())
	return cmd
}

// newClusterGraph draws the cluster; it is what graph does by itself, too.
func newClusterGraph() *cobra.Command {
	var (
		src     source
		form    graphForm
		volumes []string
	)
	cmd := &cobra.Command{
		Use:     "cluster [DIR | FILE...]",
		Short:   "Draw nodes, pools, volumes, replicas, links and exports",
		Example: `  strata graph cluster examples/lab > lab.svg`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, snap, err := src.look(cmd, args)
			if err != nil {
				return err
			}
			known := snap.Volumes()
			for _, v := range cfg.Volumes {
				known = append(known, v.Name)
			}
			slices.Sort(known)
			known = slices.Compact(known)
			for _, name := range volumes {
				if !slices.Contains(known, name) {
					return fmt.Errorf("--volume %s: there is no such volume; %s", name, schema.Hint(name, "volumes", known))
				}
			}
			return form.write(cmd.OutOrStdout(), graph.Cluster(cfg, snap, volumes))
		},
	}
	src.targetFlags(cmd)
	form.flags(cmd)
	cmd.Flags().StringArrayVar(&volumes, "volume", nil, "draw only volume `NAME` and what it has to do with; may be repeated")
	return cmd
}

func newPlanGraph() *cobra.Command {
	var (
		src   source
		may   grants
		form  graphForm
		steps bool
		at    string
		file  string
	)
	cmd := &cobra.Command{
		Use:   "plan [DIR | FILE... | PLAN]",
		Short: "Draw what is to be done, and what waits for what",
		Example: `  strata graph plan . > plan.svg
  strata graph plan --steps change.plan > plan.svg`,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := chosen(file, args)
			if err != nil {
				return err
			}
			if name != "" {
				s, err := readFixed(name, &src, &may, at)
				if err != nil {
					return err
				}
				return form.write(cmd.OutOrStdout(), graph.Plan(s.Plan, steps))
			}
			cfg, snap, err := src.look(cmd, args)
			if err != nil {
				return err
			}
			opt, err := may.options(cfg)
			if err != nil {
				return err
			}
			if opt.Now, err = moment(at); err != nil {
				return err
			}
			p, err := recipe.Build(cfg, snap, opt)
			if err != nil {
				return err
			}
			return form.write(cmd.OutOrStdout(), graph.Plan(p.Outline(cfg.Cluster), steps))
		},
	}
	src.targetFlags(cmd)
	may.flags(cmd)
	form.flags(cmd)
	cmd.Flags().StringVar(&file, "plan", "", "draw the saved plan in `FILE`; one whose name ends in .plan needs no --plan")
	cmd.Flags().BoolVar(&steps, "steps", false, "list every step")
	cmd.Flags().StringVar(&at, "at", "", "plan as if it were that `TIME` (2026-11-20T19:30:00Z), for snapshots on schedule")
	return cmd
}

// look reads the configuration and what there is.
func (s *source) look(cmd *cobra.Command, args []string) (*schema.Config, *state.Snapshot, error) {
	cfg, err := s.load(args)
	if err != nil {
		return nil, nil, err
	}
	targets, closeAll, err := s.connect(cfg)
	if err != nil {
		return nil, nil, err
	}
	defer closeAll()
	return cfg, state.Read(cmd.Context(), cfg.Cluster, targets), nil
}

// graphForm is the form in which a graph is written.
type graphForm struct {
	format string
	json   bool
}

func (f *graphForm) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", formats[0], "one of "+strings.Join(formats, ", "))
	cmd.Flags().BoolVar(&f.json, "json", false, "the same as --format json")
	cmd.MarkFlagsMutuallyExclusive("format", "json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

func (f *graphForm) write(w io.Writer, g *graph.Graph) error {
	format := f.format
	if f.json {
		format = "json"
	}
	if format == "json" {
		return printJSON(w, g)
	}
	switch g = inLines(g); format {
	case "svg":
		return g.SVG(w)
	case "dot":
		return g.DOT(w)
	case "mermaid":
		return g.Mermaid(w)
	}
	return fmt.Errorf("--format %s: there is no such form; %s", f.format, schema.Hint(f.format, "forms", formats))
}
