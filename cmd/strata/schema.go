package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"strata/machine"
	"strata/policy"
	"strata/schema"
)

func newSchema() *cobra.Command {
	var asJSON, jsonSchema bool
	var module, vendor string
	sources := map[string]func() string{"config": schema.Source, "policy": policy.Source}
	documents := append([]string{"config", "policy"}, machine.Documents()...)
	cmd := &cobra.Command{
		Use:   "schema [" + strings.Join(documents, " | ") + "]",
		Short: "Print the CUE schema of what you write, or of what strata prints for programs",
		Long: `schema prints the CUE schema of a document:

  config   what you write
  policy   rules for plans, for --policy
  plan     what plan --json and show --json print
  if       what plan --if --json prints
  saved    the file of plan --out
  events   what apply --json prints, a line each
  status   what status --json prints
  import   what import --json prints

The schema of what you write is also a CUE package, strata.io/schema, which configurations import;
strata has it in itself. For cue vet, cue lsp and cue export beside strata, --vendor writes it into
the module that is in a directory, and --module writes it as a module of its own, for a registry.

docs/machine-output.md says what stays as it is from one version to the next.`,
		Example: `  strata schema > strata_schema.cue
  strata schema events
  strata schema --vendor .
  strata schema --json-schema status > status.schema.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && !slices.Contains(documents, args[0]) {
				return fmt.Errorf("strata has no schema of %s; %s", args[0], schema.Hint(args[0], "documents", documents))
			}
			return takes(0, 1)(cmd, args)
		},
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
			case module != "" || vendor != "":
				if len(args) > 0 {
					return fmt.Errorf("--module and --vendor are of what you write, and take no document")
				}
				files := schema.Module()
				if module == "" {
					files = map[string]string{schema.Vendored: schema.Importable()}
					if _, err := os.Stat(filepath.Join(vendor, "cue.mod", "module.cue")); err != nil {
						return fmt.Errorf("%s has no cue.mod/module.cue, so cue finds no package there: make it a module first, as with cue mod init example.com/lab", vendor)
					}
				}
				return writeFiles(out, module+vendor, files)
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
	cmd.Flags().StringVar(&vendor, "vendor", "", "write the package that configurations import into cue.mod/pkg of the module in `DIR`")
	cmd.Flags().StringVar(&module, "module", "", "write that package into `DIR`, as a module that cue mod publish takes")
	cmd.MarkFlagsMutuallyExclusive("json", "json-schema", "vendor", "module")
	return cmd
}

// writeFiles writes files below a directory, and names them.
func writeFiles(out io.Writer, dir string, files map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at, []byte(files[name]), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote", at)
	}
	return nil
}
