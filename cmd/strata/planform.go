package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"strata/plan"
)

// planForm is the form in which a plan is shown.
type planForm struct {
	explain  bool
	compact  bool
	markdown bool
	json     bool
	quiet    bool
	all      everyStep
}

// everyStep is whether every step is printed, of passes that are alike, too.
type everyStep bool

func (e *everyStep) flag(cmd *cobra.Command) {
	cmd.Flags().BoolVar((*bool)(e), "all-steps", false, "print every step; without it, passes that are alike are printed once")
}

// of is a plan as it is printed.
func (e everyStep) of(o *plan.Outline) *plan.Outline {
	o = inLines(o)
	o.AllSteps = bool(e)
	return o
}

func (f *planForm) flags(cmd *cobra.Command) {
	f.viewFlags(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print the plan as JSON")
	f.all.flag(cmd)
	quietFlag(cmd, &f.quiet)
	cmd.MarkFlagsMutuallyExclusive("compact", "markdown", "json", "quiet")
}

// viewFlags are those that no other form of a verb's output has.
func (f *planForm) viewFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.explain, "explain", false, "say why each node was chosen, and why others were not; also for engines, and whether others take over from them")
	cmd.Flags().BoolVar(&f.compact, "compact", false, "print a line for each object, and the steps that copy, reduce or destroy")
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, fmt.Sprintf("print it as a comment for a merge request, of at most %d characters", plan.MarkdownLimit))
}

func (f *planForm) print(out io.Writer, o *plan.Outline) error {
	if f.json {
		return printJSON(out, o)
	}
	switch o = f.all.of(o); {
	case f.markdown:
		return o.Markdown(out)
	case f.quiet:
		return o.Brief(out)
	case f.compact:
		if err := o.Compact(out); err != nil {
			return err
		}
	default:
		if err := o.Print(out); err != nil {
			return err
		}
	}
	if f.explain {
		explainPlaces(out, o)
	}
	return nil
}

// explainPlaces says where replicas and engines go, and why, and what becomes of volumes when
// the node of their engine goes.
func explainPlaces(out io.Writer, o *plan.Outline) {
	seats := map[string]plan.Seat{}
	var names []string
	for _, seat := range o.Seats {
		seats[seat.Volume] = seat
		names = append(names, seat.Volume)
	}
	for _, place := range o.Places {
		fmt.Fprintf(out, "\nvolume %s\n", place.Volume)
		for _, c := range place.Chosen {
			fmt.Fprintf(out, "    %-8s chosen: %s\n", c.Node, c.Why)
		}
		for _, c := range place.Others {
			fmt.Fprintf(out, "    %-8s not: %s\n", c.Node, c.Why)
		}
		explainSeat(out, seats[place.Volume])
		delete(seats, place.Volume)
	}
	for _, name := range names {
		if seat, rest := seats[name]; rest {
			fmt.Fprintf(out, "\nvolume %s\n", name)
			explainSeat(out, seat)
		}
	}
}

func explainSeat(out io.Writer, s plan.Seat) {
	if s.Volume == "" {
		return
	}
	fmt.Fprintf(out, "    %-8s engine: %s\n", s.Engine, s.Why)
	if s.Failover != "" {
		fmt.Fprintf(out, "    failover %s\n", s.Failover)
	}
}
