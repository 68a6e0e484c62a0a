package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
)

func newBackupVerify() *cobra.Command {
	var src source
	cmd := &cobra.Command{
		Use:   "verify ARCHIVE VOLUME@SNAPSHOT|RECORD [DIR | FILE...]",
		Short: "Read a record back and compare it with the hashes by which it is known",
		Long: `verify reads everything that a record's image consists of, and compares each block
with the SHA-256 by which it is known, which was made of what the node sent. That it was
whole is noted with the record, where something may be written.

Exit codes: 0 it is whole, 1 something is damaged, or error.`,
		Example: "  strata backup verify main db@before-upgrade examples/lab\n  strata backup verify main 1f0c9a2b examples/lab",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[2:])
			if err != nil {
				return err
			}
			defer src.closeArchives()
			in, err := src.openRecord(cmd, cfg, args[0], args[1])
			if err != nil {
				return err
			}
			r, image := in.listed, in.image
			found, err := image.Verify(cmd.Context(), nil)
			image.Close()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, d := range found.Damaged {
				fmt.Fprintln(out, inLine(d.Error()))
			}
			if found.Failed > 0 {
				return fmt.Errorf("record %s of %s is damaged in %d places; those that share these blocks are, too: back the volume up anew after %s", in.record.ID.Short(), r.Layer, found.Failed, "strata backup verify has found which")
			}
			fmt.Fprintf(out, "record %s of %s is whole: %s read, image %s\n", in.record.ID.Short(), r.Layer, amount.Of(int(found.Blocks), "block"), image.Content.Short())
			r.Verified = time.Now().Unix()
			if _, err := in.repo.Retag(cmd.Context(), in.record, r.Tags()); err != nil {
				fmt.Fprintln(out, inLine(fmt.Sprintf("note: that is not written down: %v", err)))
			}
			return nil
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	return cmd
}
