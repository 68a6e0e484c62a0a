package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/fence"
	"strata/schema"
	"strata/state"
)

func newFence() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fence COMMAND",
		Short: "Try the fence agents of nodes, or switch a node off",
		Long: `A fence agent switches a node off that does not answer, so that others may serve
what it served. It is one of ClusterLabs, such as fence_ipmilan, is configured as
fence of the node, and run on this machine if --fence-agents or STRATA_FENCE_AGENTS
says so.`,
		DisableFlagsInUseLine: true,
		RunE:                  group,
	}
	cmd.AddCommand(newFenceCheck(), newFenceOff())
	return cmd
}

func newFenceCheck() *cobra.Command {
	var src source
	var nodes []string
	cmd := &cobra.Command{
		Use:   "check [DIR | FILE...]",
		Short: "Ask every fence agent whether it works, and switch nothing off",
		Long: `check asks the agent of each node for metadata, status and monitor, one node after
the other, and the node's target whether it answers. Do that on a quiet day: an
agent that says "off" of a node whose target answers is that of another machine.

Exit codes: 0 all agents work, 1 one does not, or error.`,
		Example: "  strata fence check examples/lab\n  strata fence check --node n1 --node n2 .",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args)
			if err != nil {
				return err
			}
			with, without, err := fenced(cfg, nodes)
			if err != nil {
				return err
			}
			snap, err := src.readSome(cmd.Context(), cfg, with)
			if err != nil {
				return err
			}
			broken := 0
			for _, n := range with {
				text, err := src.tryAgent(cmd.Context(), n, snap.Nodes[n.Name])
				if err != nil {
					broken++
					text = fmt.Sprintf("%s does not work: %s", n.Fence.Agent(), strings.TrimPrefix(err.Error(), n.Fence.Agent()+": "))
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", n.Name, inLine(text))
			}
			for _, n := range without {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: no fence agent is configured\n", n.Name)
			}
			if broken > 0 {
				return fmt.Errorf("%s", amount.OutOf(broken, len(with), "fence agent", "cannot be relied on", "cannot be relied on"))
			}
			return nil
		},
	}
	src.targetFlags(cmd)
	src.agentFlags(cmd)
	cmd.Flags().StringArrayVar(&nodes, "node", nil, "try the agent of `NODE` only; may be repeated")
	return cmd
}

// tryAgent says what an agent says of its node, and what of that is believed.
func (s *source) tryAgent(ctx context.Context, n *schema.Node, is *state.Node) (string, error) {
	a, err := s.agent(n)
	if err != nil {
		return "", err
	}
	power, err := a.Check(ctx)
	answers := is.Unknown == ""
	switch {
	case err != nil:
		return "", err
	case power == fence.Off && answers:
		return "", fmt.Errorf("it says that %s is off, and the target of %[1]s answers: it is told of another machine, or says what is not so; see options", n.Name)
	case power == fence.On && !answers:
		return fmt.Sprintf("%s works; it says that %s is on, but its target does not answer", n.Fence.Agent(), n.Name), nil
	}
	return fmt.Sprintf("%s works; it says that %s is %s", n.Fence.Agent(), n.Name, power), nil
}

func newFenceOff() *cobra.Command {
	var src source
	var approve, force bool
	cmd := &cobra.Command{
		Use:   "off NODE [DIR | FILE...]",
		Short: "Switch a node off by its fence agent",
		Long: `off has the fence agent of a node switch its machine off, and ends when the agent
says that it is off; one that is off already is left as it is. It asks before, and
refuses a node whose target answers unless --force is said: what hosts have open
there they lose.`,
		Example: "  strata fence off n2 examples/lab\n  strata fence off --auto-approve n2 .",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var with, without []*schema.Node
			cfg, err := src.load(args[1:])
			if err == nil {
				with, without, err = fenced(cfg, args[:1])
			}
			if err != nil {
				return cmp.Or(swapped(args), err)
			}
			if len(without) > 0 {
				return fmt.Errorf("%s: node %s has no fence agent; add one, for example fence: {command: [\"fence_ipmilan\"], options: ip: \"10.0.9.1\"}", without[0].Pos, args[0])
			}
			n := with[0]
			if err := src.mayRunAll(&schema.Config{Nodes: with}); err != nil {
				return err
			}
			snap, err := src.readSome(cmd.Context(), cfg, with)
			if err != nil {
				return err
			}
			is := "does not answer (" + inLine(snap.Nodes[n.Name].Unknown) + ")"
			if snap.Nodes[n.Name].Unknown == "" {
				if is = "answers"; !force {
					return fmt.Errorf("node %s answers: what it serves would be gone for its hosts; if it is to be switched off all the same, say --force", n.Name)
				}
			}
			if !approve {
				if !interactive(os.Stdin) {
					return fmt.Errorf("nobody can be asked for approval here; pass --auto-approve")
				}
				if !agreed(cmd.InOrStdin(), cmd.OutOrStdout(), fmt.Sprintf("Node %s %s. Switch it off by %s?", n.Name, is, n.Fence.Agent())) {
					return exitCode(1)
				}
			}
			e, err := src.switchOff(cmd.Context(), n)
			if err != nil {
				return fmt.Errorf("node %s: %w", n.Name, err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), inLine(e.String()))
			return nil
		},
	}
	src.targetFlags(cmd)
	src.agentFlags(cmd)
	cmd.Flags().BoolVar(&approve, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "also a node whose target answers")
	return cmd
}

// swapped says that the node is missing, or comes after the directory; nil where it is in
// its place.
func swapped(args []string) error {
	is := func(i int) bool {
		if i >= len(args) {
			return false
		}
		_, err := os.Stat(args[i])
		return err == nil
	}
	if !is(0) || is(1) {
		return nil
	}
	node, of := "NODE", args[:1]
	if len(args) > 1 {
		node, of = args[1], slices.Concat(args[:1], args[2:])
	}
	return fmt.Errorf("%s is a directory or a file, and the node to switch off comes first: strata fence off %s %s", args[0], node, strings.Join(of, " "))
}

// readSome reads some nodes of a configuration.
func (s *source) readSome(ctx context.Context, cfg *schema.Config, nodes []*schema.Node) (*state.Snapshot, error) {
	some := *cfg
	some.Nodes = nodes
	targets, closeAll, err := s.connect(&some)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	return state.Read(ctx, cfg.Cluster, targets), nil
}

// agreed asks whoever sits there.
func agreed(in io.Reader, out io.Writer, question string) bool {
	fmt.Fprintf(out, "%s Only \"yes\" will do: ", question)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}
