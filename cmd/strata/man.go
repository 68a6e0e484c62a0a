package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages of all verbs to DIR",
		Hidden: true, // what builds packages runs it
		Long: `man writes a manual page for each verb to DIR. Their date is that of
SOURCE_DATE_EPOCH, where it is set.`,
		Example: `  strata man man && man man/strata-plan.1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
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
