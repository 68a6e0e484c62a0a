package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

func newUnlock() *cobra.Command {
	var src source
	var force bool
	cmd := &cobra.Command{
		Use:   "unlock NODE [DIR | FILE...]",
		Short: "Free a node that an apply which is gone has left locked",
		Long: `unlock frees a node's lock when the apply that took it is certainly dead, which
this machine can tell of its own processes only. With --force it frees it in any
case: an apply that is at work still changes nothing more on that node from its
next look on, which is within a second.`,
		Example: "  strata unlock n2 examples/lab\n  strata unlock --force n2 .",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[1:])
			if err != nil {
				return err
			}
			name := lineage.Node(args[0])
			if cfg.Node(name) == nil {
				return fmt.Errorf("there is no node %s in the configuration", name)
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			n := state.Read(cmd.Context(), cfg.Cluster, map[lineage.Node]*spdk.Client{name: targets[name]}).Nodes[name]
			out := cmd.OutOrStdout()
			switch note := n.Lock.Note(); {
			case n.Unknown != "":
				return fmt.Errorf("node %s: %s", name, n.Unknown)
			case n.Lock.Holder == "":
				fmt.Fprintf(out, "node %s is not locked\n", name)
				return nil
			case !force && !dead(note):
				return fmt.Errorf("node %s is locked by %s, which may be at work; if it is gone for good, say --force", name, apply.Holder(note))
			default:
				if err := apply.Unlock(cmd.Context(), cfg.Cluster, targets[name], n.Lock); err != nil {
					return fmt.Errorf("node %s: %w", name, err)
				}
				fmt.Fprintf(out, "node %s is free; it was locked by %s\n", name, apply.Holder(note))
				return nil
			}
		},
	}
	src.targetFlags(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "free it although its holder may be alive")
	return cmd
}
