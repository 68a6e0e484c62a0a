package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

func newBackupForget() *cobra.Command {
	var src source
	var approve bool
	cmd := &cobra.Command{
		Use:   "forget ARCHIVE VOLUME@SNAPSHOT|RECORD [DIR | FILE...]",
		Short: "Remove a record from an archive",
		Long: `forget removes a record of a volume of the cluster. It refuses one that a volume of the
configuration is made of (from), and, while hosts use a volume that is being restored, those
of the incarnation that they read: nodes are looked at for that. What only that record needed
stays until the archive is pruned: strata backup prune, restic prune, or the next time that
keep lets records go.`,
		Example: "  strata backup forget main db@before-upgrade examples/lab\n  strata backup forget main 1f0c9a2b examples/lab",
		Args:    takes(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[2:])
			if err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			defer src.closeArchives()
			r, repo, id, err := src.recordIn(cmd, cfg, args[0], args[1])
			if err != nil {
				return err
			}
			if by := madeOf(cfg, args[0], src.archivesOf(cfg).Look(cmd.Context(), []string{args[0]})[args[0]], r); by != nil {
				return fmt.Errorf("volume %s is made of it (%s): once it is there, take its from away", by.Name, by.At("from"))
			}
			if err := notLent(cfg, state.Read(cmd.Context(), cfg.Cluster, targets).Within(cfg.Cluster, cfg.Lvstores, cfg.Disk), r.Of()); err != nil {
				return err
			}
			out, what := cmd.OutOrStdout(), fmt.Sprintf("record %s of %s, recorded %s UTC,", r.ID[:8], r.Layer, when(r.Time))
			if !approve {
				if !interactive(os.Stdin) {
					return errors.New("nobody can be asked for approval here; pass --auto-approve")
				}
				if !agreed(cmd.InOrStdin(), out, what+" goes from archive "+args[0]+" for good.") {
					return exitCode(1)
				}
			}
			if err := repo.Forget(cmd.Context(), id); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s is forgotten\n", what)
			return nil
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	cmd.Flags().BoolVar(&approve, "auto-approve", false, "do not ask")
	return cmd
}

// notLent fails if hosts read records of a layer's incarnation, or may do so where nothing could be
// seen.
func notLent(cfg *schema.Config, snap *state.Snapshot, of lineage.Layer) error {
	for _, n := range cfg.Nodes {
		at := snap.Nodes[n.Name]
		if len(n.Pools) > 0 && at.Unknown != "" {
			return fmt.Errorf("node %s could not be read, and hosts may read the record there: %s; make it readable, or take it out of the configuration", n.Name, at.Unknown)
		}
		for _, p := range n.Pools {
			if at.Lvstores[p.Lvstore] == nil {
				return fmt.Errorf("pool %s/%s is not there, and hosts may read the record by what it has: strata apply attaches its disk", n.Name, p.Name)
			}
		}
		for _, l := range at.Lvols {
			if st, is := lineage.ParseForerunner(l.Name); is && st.From == of.Volume.ID {
				return fmt.Errorf("hosts read records of %s through %s on %s: wait until volume %s is restored, or destroy it", of.Volume, l.Name, n.Name, st.Volume.Name)
			}
		}
	}
	return nil
}

// madeOf is a volume of the configuration that is made of a record; nil for none.
func madeOf(cfg *schema.Config, name string, in *catalog.Archive, r *catalog.Record) *schema.Volume {
	for _, v := range cfg.Volumes {
		if from := v.Restore; from != nil && from.Archive == name {
			best := in.Youngest(from.From(cfg.Cluster), from.Volume, from.Named())
			if best != nil && best.ID == r.ID {
				return v
			}
		}
	}
	return nil
}

func newBackupPrune() *cobra.Command {
	var src source
	cmd := &cobra.Command{
		Use:   "prune ARCHIVE [DIR | FILE...]",
		Short: "Free what no record of an archive needs",
		Long: `prune deletes from the repository of an archive what no record needs any more, as restic
prune does. It reads the index and the trees of all records, restic's own too, and has the
repository for itself meanwhile. Killed at any moment it leaves the repository whole.`,
		Example: "  strata backup prune main examples/lab",
		Args:    takes(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(args[1:])
			if err != nil {
				return err
			}
			defer src.closeArchives()
			repo, err := src.archivesOf(cfg).Repository(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			done, err := repo.Prune(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "freed %s in archive %s: %s deleted, %s written anew; %s that nobody needs stays in others\n",
				amount.Bytes(done.Freed), args[0], amount.Of(done.Deleted, "pack"), amount.Of(done.Repacked, "pack"), amount.Bytes(done.Unused))
			return nil
		},
	}
	src.flags(cmd)
	src.secretFlags(cmd)
	return cmd
}
