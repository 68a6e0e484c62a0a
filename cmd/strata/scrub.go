package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/scrub"
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
nothing. A head is written to while it is read, and is not compared: take a snapshot.

A layer does not change. A copy that is not as it was when it was read before is
damaged. Copies that differ when they are first read need not be: a target does not
zero what hosts have not written to in a cluster, and may keep what they discard.

The nodes attach to strata over NVMe/TCP: they have to reach this machine.

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
			earlier, err := readSums(sums)
			if err != nil {
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
			quiet, chosen := withoutBackups(cfg), scrubbed(cfg, volumes.names)
			only, err := attended(&src, quiet, plan.Options{Now: time.Now().Unix(), Scrub: chosen}, show, wait)
			if err != nil {
				return err
			}
			defer src.closeArchives()
			r := results{cfg: cfg, file: sums, earlier: earlier, archives: src.archivesOf(cfg)}
			start := time.Now()
			show.begin()
			only.Parallelism, only.Scrubs = len(cfg.Nodes), &apply.Scrubs{Rate: int64(rate) << 20, Listen: src.archives.listen, Read: r.read}
			only.Only = func(k plan.Key) bool { return k.Kind == plan.KindBackup && chosen[k.Name] != nil }
			done, err := apply.Run(cmd.Context(), quiet, targets, only)
			if left := only.Guard.Close(); left != nil && err == nil {
				err = left
			}
			if err == nil && len(done.Failures) > 0 {
				err = fmt.Errorf("not everything was read: %w", done.Failures[0])
			}
			if err == nil && done.Stopped {
				err = fmt.Errorf("not everything was read: the run was ended")
			}
			damaged, serr := r.tell(cmd.Context(), out, chosen, err == nil, time.Since(start))
			switch {
			case err != nil:
				return err
			case serr != nil:
				return serr
			case damaged > 0:
				return fmt.Errorf("%d %s of layers %s damaged", damaged, amount.Verb(damaged, "copy", "copies"), amount.Verb(damaged, "is", "are"))
			}
			return nil
		},
	}
	src.targetFlags(cmd)
	src.archiveFlags(cmd)
	volumes.flag(cmd)
	cmd.Flags().StringVar(&sums, "sums", "", "`FILE` that has what copies were when they were first read; those that it lacks are added")
	countFlag(cmd, &rate, "rate", 100, 1, "`MiB` a second that are read at most, of each volume")
	durationFlag(cmd, &wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the nodes")
	return cmd
}

// scrubbed are the volumes that are to be read; of wholes their parts.
func scrubbed(cfg *schema.Config, names []string) map[string]map[plan.LayerAt]bool {
	all := map[string]map[plan.LayerAt]bool{}
	for _, v := range cfg.Volumes {
		name := v.Name
		if v.Part != nil {
			name = v.Part.Whole
		}
		if len(names) == 0 || slices.Contains(names, name) {
			all[v.Name] = map[plan.LayerAt]bool{}
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

// results are what copies were found to be.
type results struct {
	cfg      *schema.Config
	file     string // of sums; "" for none
	earlier  []scrub.Copy
	archives recorder

	mu  sync.Mutex
	all []scrub.Copy
}

func (r *results) read(c scrub.Copy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, c)
}

// layerVolume is the volume that a layer is of.
func layerVolume(layer lineage.LvolName) string {
	l, _ := lineage.ParseLayer(layer)
	return l.Volume.Name
}
