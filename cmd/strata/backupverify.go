package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
)

func newBackupVerify() *cobra.Command {
	var (
		src   source
		alone bool
		rate  int
		wait  time.Duration
	)
	cmd := &cobra.Command{
		Use:   "verify ARCHIVE VOLUME@SNAPSHOT|RECORD [DIR | FILE...]",
		Short: "Read a record back and compare it with its hashes, and with the volume's layer",
		Long: `verify reads everything that a record's image consists of, and compares each block
with the SHA-256 by which it is known, which was made of what the node sent. That it was
whole is noted with the record, where something may be written.

Where a current replica still has the layer, its node then sends that, too, and it is
compared with the record: the node is locked meanwhile, and has to reach this machine.
--record-only leaves the nodes out of it.

Exit codes: 0 the record is whole, 1 something is damaged, or error.`,
		Example: "  strata backup verify main db@before-upgrade examples/lab\n  strata backup verify main 1f0c9a2b examples/lab",
		Args:    takes(2, -1),
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
			defer image.Close()
			found, err := image.Verify(cmd.Context(), nil)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, d := range found.Damaged {
				fmt.Fprintln(out, inLine(d.Error()))
			}
			if found.Failed > 0 {
				return fmt.Errorf("record %s of %s is damaged in %s; those that share these blocks are, too: back the volume up anew after %s", in.record.ID.Short(), r.Layer, amount.Of(int(found.Failed), "place"), "strata backup verify has found which")
			}
			fmt.Fprintf(out, "record %s of %s is whole: %s read, image %s\n", in.record.ID.Short(), r.Layer, amount.Of(int(found.Blocks), "block"), image.Content.Short())
			r.Verified = time.Now().Unix()
			if _, err := in.repo.Retag(cmd.Context(), in.record, r.Tags()); err != nil {
				fmt.Fprintln(out, inLine(fmt.Sprintf("note: that is not written down: %v", err)))
			}
			if alone {
				return nil
			}
			b := &beside{src: &src, cfg: cfg, in: r, rate: int64(rate) << 20, wait: wait}
			said, err := b.compare(cmd, image)
			if err != nil {
				said = fmt.Sprintf("note: it is not compared with the layer on a node: %v", err)
			}
			fmt.Fprintln(out, inLine(said))
			return nil
		},
	}
	src.targetFlags(cmd)
	src.archiveFlags(cmd)
	cmd.Flags().BoolVar(&alone, "record-only", false, "compare with the hashes only, and ask no node")
	countFlag(cmd, &rate, "rate", 100, 1, "`MiB` a second of the layer that are read at most")
	durationFlag(cmd, &wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the node")
	return cmd
}
