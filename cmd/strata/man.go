package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"strata/explain"
)

func newMan() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all verbs to DIR",
		Hidden: true, // what builds packages runs it
		Long: `man writes a manual page for each verb to DIR. Their date is that of
SOURCE_DATE_EPOCH, where it is set. With --markdown it writes pages in Markdown instead, and
fields.md, which has all fields of a configuration.`,
		Example: `  strata man man && man man/strata-plan.1`,
		Args:    takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			if markdown {
				return writeReference(args[0])
			}
			date := time.Now()
			if at, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
				date = time.Unix(at, 0).UTC()
			}
			root := newRoot()
			forMan(root)
			header := &doc.GenManHeader{Title: "STRATA", Section: "1", Date: &date, Source: "strata " + describe(), Manual: "strata"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("manual pages: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "write a reference in Markdown: verbs, and fields of a configuration")
	return cmd
}

// writeReference writes a page for each verb, and one of all fields of a configuration.
func writeReference(dir string) error {
	root := newRoot()
	forMan(root)
	if err := doc.GenMarkdownTree(root, dir); err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	paths, err := explain.Paths()
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString("# Fields of a configuration\n\nAs `strata explain FIELD` has them; names of nodes, pools and volumes are left out.\n")
	for _, path := range paths {
		f, err := explain.Of(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "\n## %s\n\n```text\n", path)
		explained(&out, f)
		out.WriteString("```\n")
	}
	return os.WriteFile(filepath.Join(dir, "fields.md"), []byte(out.String()), 0o644)
}

// forMan has texts keep their layout: manual pages are made of Markdown, which runs lines
// together that are not set in by four spaces.
func forMan(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	var lines []string
	set := true // whether the line before is set in, or empty
	for line := range strings.SplitSeq(cmd.Long, "\n") {
		in := strings.HasPrefix(line, "  ")
		if in && !set {
			lines = append(lines, "")
		}
		if set = in || line == ""; in {
			line = "  " + line
		}
		lines = append(lines, line)
	}
	cmd.Long = strings.Join(lines, "\n")
	for _, below := range cmd.Commands() {
		forMan(below)
	}
}
