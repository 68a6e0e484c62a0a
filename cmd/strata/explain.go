package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"strata/explain"
)

func newExplain() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [FIELD]",
		Short: "Say what a field of a configuration is, with its type, default and an example",
		Long: `explain prints what the schema says of a field of a configuration: what it may
be, what it is when it is left out, whether it has to be given, an example, and the
fields in it. FIELD is its path. Names of your own may be left out of it, or be there:
volumes.replicas is volumes.db.replicas. Without FIELD it is the configuration
itself. It reads no configuration, and reaches no node.`,
		Example: `  strata explain
  strata explain volumes.replicas.spread
  strata explain nodes.pools`,
		Args: takes(0, 1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			paths, err := explain.Paths()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return paths, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := explain.Of(strings.Join(args, ""))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), f)
			}
			explained(cmd.OutOrStdout(), f)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// explained prints a field for people.
func explained(w io.Writer, f *explain.Field) {
	if f.Path == "" {
		fmt.Fprintln(w, "a configuration")
	} else {
		fmt.Fprintln(w, f.Path)
	}
	if f.Doc != "" {
		fmt.Fprintf(w, "\n    %s\n", strings.ReplaceAll(strings.ReplaceAll(f.Doc, "\n", "\n    "), "    \n", "\n"))
	}
	if f.Path != "" {
		fmt.Fprintln(w)
		row(w, "type", f.Type)
		for _, m := range f.Means {
			row(w, "", m)
		}
		row(w, "default", or(f.Default, "none"))
		row(w, "required", or(f.Required, "no"))
		if len(f.Only) > 0 {
			row(w, "only", strings.Join(f.Only, ", or "))
		}
	}
	if f.Example != "" {
		row(w, "example", strings.ReplaceAll(f.Example, "\n", "\n          "))
	}
	if len(f.Fields) == 0 {
		return
	}
	title := "fields:"
	if rest := strings.TrimPrefix(f.Fields[0].Path, f.Path+"."); f.Path != "" && strings.Contains(rest, ".") {
		title = "fields of each:"
	}
	fmt.Fprintf(w, "\n%s\n", title)
	width := 0
	for _, in := range f.Fields {
		width = max(width, len(last(in.Path)))
	}
	for _, in := range f.Fields {
		fmt.Fprintf(w, "    %-*s  %s\n", width, last(in.Path), summary(&in))
	}
}

func row(w io.Writer, what, text string) { fmt.Fprintf(w, "%-9s %s\n", what, text) }

func or(text, without string) string {
	if text == "" {
		return without
	}
	return text
}

func last(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// summary is the first sentence of what is said of a field, or its type.
func summary(f *explain.Field) string {
	text := strings.ReplaceAll(f.Doc, "\n", " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end]
	}
	if end := strings.Index(text, ":  "); end >= 0 {
		text = text[:end]
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ".")
	if text == "" {
		text = f.Type
	}
	if f.Required == "yes" {
		text += " (required)"
	}
	return text
}
