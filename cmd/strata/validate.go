package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/plan"
	"strata/schema"
)

func newValidate() *cobra.Command {
	var src source
	var hold rules
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "validate [DIR | FILE...]",
		Short: "Check a configuration without reaching any node",
		Long: `validate reads a configuration and says everything that is wrong with it. With
--policy it reads rules for plans, too: what is wrong with these, and which names in
them the configuration does not have. Whether a plan keeps them says plan --policy.`,
		Example: `  strata validate -t zone=a .
  strata validate --policy policy/ .`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args)
			if err != nil {
				return err
			}
			pol, err := hold.load(&src)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), cfg)
			}
			if !quiet {
				fmt.Fprintf(cmd.OutOrStdout(), "cluster %s: %s, %s, no problem found\n", cfg.Cluster, amount.Of(len(cfg.Nodes), "node"), amount.Of(len(cfg.Volumes), "volume"))
			}
			for _, n := range cfg.Nodes {
				if loses := cfg.LosesReplicas(n); loses != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: node %s is suspended: %s\n", n.Pos, n.Name, loses)
				}
			}
			if n, why := cfg.IdleAddresses(); why != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: node %s: %s; %s\n", n.Pos, n.Name, why, schema.AddressesUsed)
			}
			for _, f := range src.unread(args) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s; %s\n", inLine(f.Text), f.Hint)
			}
			if pol != nil {
				for _, f := range remarks(pol, cfg, &plan.Outline{Cluster: cfg.Cluster}) {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s%s\n", f.About, inLine(f.Text), at(f.Pos.String()))
				}
			}
			return nil
		},
	}
	src.flags(cmd)
	hold.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the configuration with its defaults as JSON")
	quietFlag(cmd, &quiet)
	cmd.MarkFlagsMutuallyExclusive("json", "quiet")
	return cmd
}
