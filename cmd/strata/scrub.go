package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/apply"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

func newScrub() *cobra.Command {
	var (
		src     source
		volumes chosenVolumes
		sums    string
		rate    int
		wait    time.Duration
	)
	cmd := &cobra.Command{
		Use:   "scrub [DIR | FILE...] [VOLUME...]",
		Short: "Read all layers of all replicas, and compare them",
		Long: `scrub reads every layer of every current replica, of the volumes that are named or of
all, and compares the copies with one another, with what an archive has recorded of the
layer, and with --sums with what they were when they were read before. It changes
nothing, but for a name beside each replica that says when this was done, and what came of
it, for status and watch. A head is written to while it is read, and is not compared: take a
snapshot.

A layer does not change. A copy that is not as it was when it was read before is
damaged. Copies that differ when they are first read need not be: a target does not
zero what hosts have not written to in a cluster, and may keep what they discard.

The nodes attach to strata over NVMe/TCP: they have to reach this machine. They are locked
while a layer is read, and free between two layers.

Exit codes: 0 nothing is damaged, 1 something is, or error.`,
		Example: "  strata scrub examples/lab db --sums /var/lib/strata/sums",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(volumes.from(args))
			if err != nil {
				return err
			}
			if err := volumes.check(wholeNames(cfg)); err != nil {
				return err
			}
			r := newComparison(cfg, sums)
			if err := r.readSums(); err != nil {
				return err
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			out := cmd.OutOrStdout()
			show := newReporter(out, cfg, false, true)
			defer show.close()
			quiet, start := withoutBackups(cfg), time.Now()
			chosen := scrubbed(cfg, volumes.names, state.Read(cmd.Context(), cfg.Cluster, targets), start.Unix())
			opt := plan.Options{Now: start.Unix(), Scrub: chosen}
			only, err := attended(&src, quiet, opt, show, wait)
			if err != nil {
				return err
			}
			defer src.closeArchives()
			r.archives = src.archivesOf(cfg)
			only.Parallelism, only.Passes = len(cfg.Nodes), 1
			only.Scrubs = &apply.Scrubs{Rate: int64(rate) << 20, Listen: src.archives.listen, Compare: r.compare}
			only.Only = func(k plan.Key) bool { return k.Kind == plan.KindBackup && chosen[k.Name] != 0 }
			show.begin()
			err = layerByLayer(cmd.Context(), only, r, out, func() (*apply.Result, error) {
				return runGuarded(cmd.Context(), &src, quiet, targets, only)
			})
			r.others(chosen)
			r.tell(out)
			r.summary(out, chosen, time.Since(start))
			if err == nil {
				err = r.keep()
			}
			switch {
			case err != nil:
				return err
			case r.damaged > 0:
				return fmt.Errorf("%d %s of layers %s damaged", r.damaged, amount.Verb(r.damaged, "copy", "copies"), amount.Verb(r.damaged, "is", "are"))
			}
			return nil
		},
	}
	src.targetFlags(cmd)
	src.archiveFlags(cmd)
	volumes.flag(cmd)
	sumsFlag(cmd, &sums)
	countFlag(cmd, &rate, "rate", 100, 1, "`MiB` a second that are read at most, of each volume")
	durationFlag(cmd, &wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the nodes")
	return cmd
}

func sumsFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "sums", "", "`FILE` that has what copies were when they were first read; those that it lacks are added")
}

const (
	// betweenLayers is how long nodes are free then: whoever waits asks four times a second.
	betweenLayers = 300 * time.Millisecond
	// longWait is how long somebody is waited for who has locked them meanwhile.
	longWait = 30 * time.Minute
)

// layerByLayer has one layer of each volume read and compared after the other, and says what
// came of it.
func layerByLayer(ctx context.Context, only apply.Options, r *comparison, out io.Writer, run func() (*apply.Result, error)) error {
	for {
		done, err := run()
		r.tell(out)
		if done != nil && done.Snapshot != nil {
			r.looked(done.Snapshot)
		}
		switch {
		case err != nil:
			return err
		case len(done.Failures) > 0:
			return fmt.Errorf("not everything was read: %w", done.Failures[0])
		case done.Stopped:
			return fmt.Errorf("not everything was read: the run was ended")
		case done.Plan.Empty():
			for _, f := range done.Plan.Notes {
				r.later = append(r.later, f.About+": "+f.Text)
			}
			return nil
		}
		only.Lock.Wait = max(only.Lock.Wait, longWait)
		select {
		case <-ctx.Done():
		case <-time.After(betweenLayers):
		}
	}
}

// scrubbed are the volumes that are to be read, of wholes their parts, each with a time after
// that of any round that its nodes know of.
func scrubbed(cfg *schema.Config, names []string, seen *state.Snapshot, now int64) map[string]int64 {
	last := seen.LastRounds()
	all := map[string]int64{}
	for _, v := range cfg.Volumes {
		if len(names) == 0 || slices.Contains(names, wholeName(v)) {
			all[v.Name] = max(now, last[v.Name]+1)
		}
	}
	return all
}

// withoutBackups is the configuration in which nothing is backed up.
func withoutBackups(cfg *schema.Config) *schema.Config {
	out := *cfg
	out.Volumes = slices.Clone(cfg.Volumes)
	for i, v := range out.Volumes {
		other := *v
		other.Backup = nil
		out.Volumes[i] = &other
	}
	return &out
}
