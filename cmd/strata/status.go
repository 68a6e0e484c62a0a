package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"strata/backup"
	"strata/lineage"
	"strata/report"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

func newStatus() *cobra.Command {
	var (
		src     source
		volumes chosenVolumes
		asJSON  bool
		watch   bool
		quiet   bool
		every   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "status [DIR | FILE...] [VOLUME...]",
		Short: "Show volumes, replicas, layers, health, copies, and who is connected",
		Long: `status shows what there is: pools with their space, volumes with their health,
how hosts reach them and who is connected, replicas with their layers, and copies
with how far they are. An argument that is no file or directory is a volume, as
is what --volume names; then only those are shown.

With --quiet it shows only nodes that could not be read and volumes that are not
healthy, and nothing where all is well.

With --watch it looks again and again until ^C: on a terminal it draws over what
was there, elsewhere it prints a report, with --json one a line, when anything is
another than before.`,
		Example: `  strata status examples/lab
  strata status --watch examples/lab db
  strata status --json . | jq '.volumes[] | select(.health != "healthy")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(volumes.from(args))
			if err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			defer src.closeArchives()
			look := func(ctx context.Context) (*report.Report, error) {
				r := lookAt(ctx, cfg, targets, src.archivesOf(cfg))
				if len(volumes.names) == 0 {
					return r, nil
				}
				return r.Only(volumes.names), volumes.check(r.VolumeNames())
			}
			if watch {
				return watchStatus(cmd.Context(), cmd.OutOrStdout(), look, every, asJSON)
			}
			r, err := look(cmd.Context())
			if err != nil {
				return err
			}
			if quiet {
				if r = r.Troubled(); r == nil {
					return nil
				}
			}
			return writeStatus(cmd.OutOrStdout(), r, asJSON)
		},
	}
	src.targetFlags(cmd)
	volumes.flag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.Flags().BoolVar(&watch, "watch", false, "go on looking until ^C, and show what changes")
	quietFlag(cmd, &quiet)
	cmd.MarkFlagsMutuallyExclusive("watch", "quiet")
	durationFlag(cmd, &every, "every", 2*time.Second, 100*time.Millisecond, "how often --watch looks")
	return cmd
}

// lookAt reads everything, and who is connected.
func lookAt(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, archives *backup.Archives) *report.Report {
	snap := state.Read(ctx, cfg.Cluster, targets)
	r := report.Build(cfg, snap)
	r.Schedule(cfg, time.Now().Unix())
	r.Recorded(cfg, snap, archives.Look(ctx, cfg.ArchivesInUse()))
	r.Connect(state.ReadConnected(ctx, snap, cfg.Cluster, targets))
	return r
}

func writeStatus(w io.Writer, r *report.Report, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	_, err := fmt.Fprintln(w, statusText(r, nil))
	return err
}
