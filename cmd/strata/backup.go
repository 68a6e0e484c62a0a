package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/archive"
	"strata/plan"
	"strata/schema"
)

func newBackup() *cobra.Command {
	var (
		src     source
		to      string
		approve bool
		asJSON  bool
		wait    time.Duration
	)
	cmd := &cobra.Command{
		Use:   "backup VOLUME@SNAPSHOT [DIR | FILE...]",
		Short: "Record a snapshot in an archive, list what is there, verify it, forget it",
		Long: `backup records one snapshot of a volume in an archive: a node that has a current
replica sends the clusters of the snapshot, and of what it stands on and the archive
has no record of. Nothing else is done to the nodes. What a configuration wants to be
backed up (volumes: db: backup) apply and watch see to by themselves.

The node attaches to strata over NVMe/TCP meanwhile: it has to reach this machine.

Exit codes: 0 it is recorded, or was already, 1 error.`,
		Example: `  strata backup db@before-upgrade --to main examples/lab
  strata backup list main .
  strata backup verify main db@before-upgrade .`,
		Args: takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[1:])
			if err != nil {
				return err
			}
			volume, snapshot, ok := strings.Cut(args[0], "@")
			cfg, err = wanting(cfg, volume, snapshot, to)
			if err != nil || !ok {
				return errors.Join(err, unless(ok, "%s: want VOLUME@SNAPSHOT", args[0]))
			}
			key := plan.BackupKey(volume)
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			out := cmd.OutOrStdout()
			show := newReporter(out, cfg, asJSON, false)
			defer show.close()
			only, err := attended(&src, cfg, plan.Options{Now: time.Now().Unix()}, show, wait)
			if err != nil {
				return err
			}
			defer src.closeArchives()
			only.Parallelism, only.Archives, only.Only = 1, src.archivesOf(cfg), func(k plan.Key) bool { return k == key }
			if !approve {
				if asJSON || !interactive(os.Stdin) {
					return fmt.Errorf("nobody can be asked for approval here; pass --auto-approve")
				}
				only.Confirm = func(p *plan.Plan) bool { return confirm(p.Outline(""), cmd.InOrStdin(), out) }
			}
			start := time.Now()
			show.begin()
			r, err := apply.Run(cmd.Context(), cfg, targets, only)
			if left := only.Guard.Close(); left != nil {
				err = errors.Join(err, left)
			}
			if err == nil {
				err = recorded(cfg, r, only.Archives.Look(cmd.Context(), []string{to})[to].Find(cfg.Cluster, layerNamed(cfg, r, volume, snapshot)) != nil, args[0], to)
			}
			if err == nil {
				show.summary(r, time.Since(start), 0)
			} else {
				show.broke(r, time.Since(start), err)
			}
			return err
		},
	}
	src.targetFlags(cmd)
	src.archiveFlags(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the `ARCHIVE` of the configuration to record it in")
	cmd.Flags().BoolVar(&approve, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one event a line as JSON")
	durationFlag(cmd, &wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the nodes")
	cmd.AddCommand(newBackupInit(), newBackupList(), newBackupVerify(), newBackupForget(), newBackupPrune())
	return cmd
}

// unless is nil if something holds, else an error that says so.
func unless(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// wanting is the configuration with that backup, and no other.
func wanting(cfg *schema.Config, volume, snapshot, to string) (*schema.Config, error) {
	v := cfg.Volume(volume)
	switch {
	case snapshot == "":
		return nil, fmt.Errorf("want VOLUME@SNAPSHOT, such as db@before-upgrade")
	case cfg.Whole(volume) != nil, v != nil && v.Part != nil:
		return nil, fmt.Errorf("%s is laid out over parts, or a part, and parts cannot be backed up together yet", volume)
	case v == nil:
		return nil, fmt.Errorf("there is no volume %s in the configuration", volume)
	case !slices.Contains(v.Snapshots, snapshot) && !strings.HasPrefix(snapshot, schema.AutoPrefix):
		return nil, fmt.Errorf("volume %s has no snapshot %s in the configuration; add it there, and apply", volume, snapshot)
	case to == "":
		return nil, fmt.Errorf("--to is missing: which archive?")
	case cfg.Archive(to) == nil:
		return nil, fmt.Errorf("--to %s: there is no such archive in the configuration", to)
	}
	out := withoutBackups(cfg)
	out.Volume(volume).Backup = &schema.Backup{To: to, Snapshots: []string{snapshot}, Pos: v.Pos}
	return out, nil
}

func newBackupInit() *cobra.Command {
	var src source
	cmd := &cobra.Command{
		Use:   "init ARCHIVE [DIR | FILE...]",
		Short: "Make the repository of an archive",
		Long: `init makes an empty restic repository where an archive is configured to be, with the
password that is configured. It refuses a place that has one. Keep the password
elsewhere too: without it nobody reads what is there.`,
		Example: "  strata backup init main examples/lab",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[1:])
			if err != nil {
				return err
			}
			st, password, err := src.openArchive(cmd.Context(), cfg.Archive(args[0]), args[0])
			if err != nil {
				return err
			}
			if err := archive.Init(cmd.Context(), st, password); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made a repository for archive %s in %s\n", args[0], st)
			return nil
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	return cmd
}
