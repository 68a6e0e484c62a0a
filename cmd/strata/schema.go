package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"strata/schema"
)

func newSchema() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "schema",
		Short:   "Print the CUE schema of configurations",
		Example: `  strata schema > strata_schema.cue`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"language": "cue", "schema": schema.Source()})
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), schema.Source())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it within JSON")
	return cmd
}
