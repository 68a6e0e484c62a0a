package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/amount"
)

func newValidate() *cobra.Command {
	var src source
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:     "validate [DIR | FILE...]",
		Short:   "Check a configuration without reaching any node",
		Example: `  strata validate -t zone=a .`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args)
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
			return nil
		},
	}
	src.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the configuration with its defaults as JSON")
	quietFlag(cmd, &quiet)
	cmd.MarkFlagsMutuallyExclusive("json", "quiet")
	return cmd
}
