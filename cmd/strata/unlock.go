package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/lineage"
	"strata/lock"
	"strata/spdk"
	"strata/state"
)

func newUnlock() *cobra.Command {
	var src source
	var force bool
	cmd := &cobra.Command{
		Use:   "unlock NODE [DIR | FILE...]",
		Short: "Free a node that an apply or a watch which is gone has left locked",
		Long: `unlock frees a node's lock when the apply that took it is dead: its process was
one of this machine and is no more, and for 20 s it gives no sign of life on the
node either. With --force it frees the node in any case, at once: an apply or a
watch that is at work still changes nothing more on that node from its next look
on, which is within a second.

With --force it also frees the seat of the watch that works, on this node: a watch
that lives takes it again within a second, and of one that is gone another takes
it by itself within 5 s.`,
		Example: "  strata unlock n2 examples/lab\n  strata unlock --force n2 .",
		Args:    takes(1, -1),
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
				return fmt.Errorf("node %s: %s", name, inLine(n.Unknown))
			case n.Lock.Holder == "":
				fmt.Fprintf(out, "node %s is not locked\n", name)
				if force {
					return freeSeat(cmd, cfg.Cluster, n, targets[name])
				}
				return nil
			case !force && !dead(note):
				return fmt.Errorf("node %s is locked by %s, which may be at work; if it is gone for good, say --force", name, inLine(lock.Holder(note)))
			default:
				if !force {
					fmt.Fprintf(cmd.ErrOrStderr(), "waiting for a sign of life of %s\n", lock.Holder(note))
					silent, err := lock.Silent(cmd.Context(), cfg.Cluster, name, targets[name], note)
					if err != nil {
						return err
					}
					if !silent {
						return fmt.Errorf("node %s is locked by %s, which gave a sign of life, or by another that came after it; see: strata status", name, lock.Holder(note))
					}
				}
				if err := lock.Free(cmd.Context(), targets[name], n.Lock, cfg.Cluster.LockNote); err != nil {
					return fmt.Errorf("node %s: %w", name, err)
				}
				fmt.Fprintf(out, "node %s is free; it was locked by %s\n", name, inLine(lock.Holder(note)))
				if force {
					return freeSeat(cmd, cfg.Cluster, n, targets[name])
				}
				return nil
			}
		},
	}
	src.targetFlags(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "free it although its holder may be alive")
	return cmd
}

// freeSeat frees the seat on a node, if a watch has it.
func freeSeat(cmd *cobra.Command, c lineage.Cluster, n *state.Node, t *spdk.Client) error {
	if n.Seat.Holder == "" {
		return nil
	}
	if err := lock.Free(cmd.Context(), t, n.Seat, c.SeatNote); err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "the seat on node %s is free; %s had it\n", n.Name, inLine(lock.Holder(n.Seat.Note())))
	return nil
}
