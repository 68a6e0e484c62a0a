package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/archive"
)

func newExport() *cobra.Command {
	var src source
	var from string
	cmd := &cobra.Command{
		Use:   "export VOLUME@SNAPSHOT FILE --from ARCHIVE [DIR | FILE...]",
		Short: "Write a snapshot that an archive has to a raw image",
		Long: `export writes the image of a snapshot to a file, raw and sparse: what the volume never
had, or has zero, takes no room. It is read from an archive, and no node is asked. The
file must not be there yet; one that was cut off is deleted.

VOLUME@latest is the youngest snapshot that is recorded.`,
		Example: "  strata export db@before-upgrade db.img --from main examples/lab",
		Args:    takes(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return fmt.Errorf("--from is missing: which archive?")
			}
			cfg, err := src.load(args[2:])
			if err != nil {
				return err
			}
			defer src.closeArchives()
			in, err := src.openRecord(cmd, cfg, from, args[0])
			if err != nil {
				return err
			}
			image := in.image
			defer image.Close()
			if err := exportTo(cmd.Context(), image, args[1]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s of %s, %s, to %s\n", args[0], from, amount.Bytes(image.Size), args[1])
			if in.listed.Check != "" {
				fmt.Fprintln(cmd.OutOrStdout(), "it is encrypted with the key of its volume, as the record is; to have what hosts see, restore it into a volume with that key, and copy there")
			}
			return nil
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "the `ARCHIVE` of the configuration that has it")
	return cmd
}

// exportTo writes an image to a new file.
func exportTo(ctx context.Context, image *archive.Image, name string) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	if err := f.Truncate(image.Size); err != nil {
		return err
	}
	if err := image.Blocks(ctx, nil, func(b archive.Block) error {
		_, err := f.WriteAt(b.Data, b.Off)
		return err
	}); err != nil {
		return err
	}
	return f.Sync()
}
