package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"strata/machine"
	"strata/policy"
	"strata/schema"
)

func newSchema() *cobra.Command {
	var asJSON, jsonSchema bool
	sources := map[string]func() string{"config": schema.Source, "policy": policy.Source}
	documents := append([]string{"config", "policy"}, machine.Documents()...)
	cmd := &cobra.Command{
		Use:   "schema [" + strings.Join(documents, " | ") + "]",
		Short: "Print the CUE schema of what you write, or of what strata prints for programs",
		Long: `schema prints the CUE schema of a document:

  config   what you write
  policy   rules for plans, for --policy
  plan     what plan --json and show --json print
  saved    the file of plan --out
  events   what apply --json prints, a line each
  status   what status --json prints
  import   what import --json prints

docs/machine-output.md says what stays as it is from one version to the next.`,
		Example: `  strata schema > strata_schema.cue
  strata schema events
  strata schema --json-schema status > status.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: documents,
		RunE: func(cmd *cobra.Command, args []string) error {
			out, document := cmd.OutOrStdout(), "config"
			if len(args) > 0 {
				document = args[0]
			}
			source, ok := machine.Schema(document)
			if !ok {
				source = sources[document]()
			}
			switch {
			case jsonSchema && !ok:
				return fmt.Errorf("there is no JSON Schema of what you write, for CUE says more than that can; the documents that have one: %s",
					strings.Join(machine.Documents(), ", "))
			case jsonSchema:
				b, err := machine.JSONSchema(document)
				if err != nil {
					return err
				}
				_, err = out.Write(b)
				return err
			case asJSON:
				return printJSON(out, map[string]string{"language": "cue", "schema": source})
			}
			_, err := fmt.Fprint(out, source)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it within JSON")
	cmd.Flags().BoolVar(&jsonSchema, "json-schema", false, "print it as JSON Schema, 2020-12")
	cmd.MarkFlagsMutuallyExclusive("json", "json-schema")
	return cmd
}
