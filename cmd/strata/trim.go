package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"

	"strata/amount"
	"strata/apply"
	"strata/backup"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

func newTrim() *cobra.Command {
	var (
		src     source
		volumes chosenVolumes
		zeroes  bool
		rate    int
		wait    time.Duration
	)
	cmd := &cobra.Command{
		Use:   "trim [DIR | FILE...] VOLUME...",
		Short: "Free what of a volume that nobody uses reads as zero",
		Long: `trim reads volumes, and discards what is all zero, in whole clusters, on all replicas. It is
for hosts that write zeroes and cannot discard. One that can does better with fstrim, and
need not let go of the volume.

No host may be connected: unmount it there and disconnect. While 20 s of the volume are
read its node is locked, and hosts do not reach it; one that comes between two such turns
has it, and trim ends. So does ^C, and what was freed by then stays freed.

What was freed has to read as zero, also where it is written to again in part. So the
volume must not be encrypted, and have no snapshot; and its disks must discard. What an
NVMe disk reads then it says itself (nvme id-ns -H, dlfeat): --discards-read-zero is your
word that you have looked.

The nodes attach to nothing, but strata has to reach the engine's node over NVMe/TCP.

Exit codes: 0 all of them are trimmed, 1 one is not, or error.`,
		Example: "  strata trim examples/lab db --rate 200",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(volumes.from(args))
			if err != nil {
				return err
			}
			if len(volumes.names) == 0 {
				return errors.New("no volume is named: trim takes hosts' way to it away while it reads all of it, and does so of none that you have not named")
			}
			if err := volumes.check(wholeNames(cfg)); err != nil {
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
			t := &trimming{cfg: cfg, chosen: map[string]bool{}, done: map[string]backup.Trimmed{}, failed: map[string]error{}}
			t.only = apply.Trims{Rate: int64(rate) << 20, For: trimTurn, From: t.from, Tell: t.tell}
			for _, v := range cfg.Volumes {
				if name := wholeName(v); slices.Contains(volumes.names, name) {
					t.chosen[v.Name] = true
				}
			}
			opt := plan.Options{Now: time.Now().Unix(), Trim: plan.Trims{Zeroes: zeroes}}
			only, err := attended(&src, cfg, opt, show, wait)
			if err != nil {
				return err
			}
			only.Parallelism, only.Passes = len(cfg.Nodes), 1
			only.Trims, only.Vet = &t.only, t.vet
			only.Only = func(k plan.Key) bool { return k.Kind == plan.KindVolume && t.left(k.Name) }
			before := t.look(cmd.Context(), targets)
			show.begin()
			for {
				only.Plan.Trim.Volumes = t.remaining()
				done, err := runGuarded(cmd.Context(), &src, cfg, targets, only)
				if err != nil {
					return err
				}
				if why := t.failures(done); why != nil || done.Stopped || len(t.remaining()) == 0 {
					t.say(out, before, t.look(cmd.Context(), targets))
					return why
				}
				only.Lock.Wait = max(only.Lock.Wait, longWait)
				select {
				case <-cmd.Context().Done():
				case <-time.After(betweenLayers):
				}
			}
		},
	}
	src.targetFlags(cmd)
	volumes.flag(cmd)
	cmd.Flags().BoolVar(&zeroes, "discards-read-zero", false, "NVMe disks of these volumes read as zero where they were discarded: you have looked")
	countFlag(cmd, &rate, "rate", 100, 1, "`MiB` a second that are read at most, of each volume")
	durationFlag(cmd, &wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the nodes")
	return cmd
}

// wholeName is what a volume is called, or what it is a part of.
func wholeName(v *schema.Volume) string {
	if v.Part != nil {
		return v.Part.Whole
	}
	return v.Name
}

// trimming is what comes of the volumes that are trimmed.
type trimming struct {
	cfg    *schema.Config
	chosen map[string]bool
	only   apply.Trims

	mu     sync.Mutex
	done   map[string]backup.Trimmed // all that was done so far
	failed map[string]error
}

// trimTurn is how long a volume is trimmed at a time, while its nodes are locked. Then a watch
// may do what has become due.
const trimTurn = 20 * time.Second

// left reports whether a volume is to be trimmed still.
func (t *trimming) left(volume string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	done, begun := t.done[volume]
	return t.chosen[volume] && t.failed[volume] == nil && (!begun || done.Left)
}

// remaining are those that are.
func (t *trimming) remaining() map[string]bool {
	all := map[string]bool{}
	for name := range t.chosen {
		if t.left(name) {
			all[name] = true
		}
	}
	return all
}

// look reads the nodes, with pools called as they are configured.
func (t *trimming) look(ctx context.Context, targets map[lineage.Node]*spdk.Client) *state.Snapshot {
	return state.Read(ctx, t.cfg.Cluster, targets).Within(t.cfg.Cluster, t.cfg.Lvstores, t.cfg.Disk)
}

// vet refuses a plan by which something else is done to one of the volumes first.
func (t *trimming) vet(p *plan.Plan) error {
	if p.Empty() {
		return nil
	}
	for i := range p.Passes[0].Sections {
		s, trims := &p.Passes[0].Sections[i], false
		if s.Kind != plan.KindVolume || !t.left(s.Name) {
			continue
		}
		for step := range s.Steps() {
			_, is := step.Op.(plan.Trim)
			trims = trims || is
		}
		if !trims {
			return fmt.Errorf("%s is not as configured, and nothing is trimmed: strata plan says what is to be done to it, and strata apply does it", s.Key())
		}
	}
	return nil
}

func (t *trimming) from(v lineage.Volume) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done[v.Name].Read
}

func (t *trimming) tell(v lineage.Volume, done backup.Trimmed, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.done[v.Name]
	t.done[v.Name] = backup.Trimmed{Read: was.Read + done.Read, Zero: was.Zero + done.Zero, Left: done.Left}
	t.failed[v.Name] = err
}

// say says what was freed of each replica, as it was before and is now.
func (t *trimming) say(out io.Writer, before, now *state.Snapshot) {
	for _, name := range slices.Sorted(maps.Keys(t.done)) {
		done, more := t.done[name], ""
		if done.Left {
			more = "; the rest was not read, for trim was ended"
		}
		fmt.Fprintf(out, "%s: %s read, of which %s are zero%s\n", name, amount.About(done.Read), amount.About(done.Zero), more)
		was, is := t.room(before, name), t.room(now, name)
		for _, n := range t.cfg.Nodes {
			for _, p := range n.Pools {
				at := lineage.Place{Node: n.Name, Lvstore: p.Lvstore}
				if left, has := is[at]; has {
					fmt.Fprintf(out, "  %s/%s: %s freed, %s in use\n", n.Name, p.Name, amount.About(max(0, was[at]-left)), amount.About(left))
				}
			}
		}
	}
}

// room is what the heads of a volume take of their pools, in bytes.
func (t *trimming) room(s *state.Snapshot, volume string) map[lineage.Place]int64 {
	all := map[lineage.Place]int64{}
	for _, id := range s.Incarnations(volume) {
		for _, h := range s.Incarnation(t.cfg.Cluster, id).Heads {
			if lvs := s.Nodes[h.Node].Lvstores[h.Lvol.Lvstore]; lvs != nil {
				all[h.Place()] += h.Lvol.Allocated * lvs.ClusterSize
			}
		}
	}
	return all
}

// failures say of which volumes not everything was looked at, and why.
func (t *trimming) failures(r *apply.Result) error {
	var errs *multierror.Error
	said := map[string]bool{}
	for _, f := range r.Failures {
		said[f.Section.Name] = true
	}
	if len(r.Failures) > 0 {
		errs = multierror.Append(errs, failures(t.cfg, r))
	}
	for _, f := range r.Plan.Blocked {
		if name, is := strings.CutPrefix(f.About, "volume "); is && t.chosen[name] {
			said[name] = true
			errs = multierror.Append(errs, errors.New(f.About+": "+f.Text+hinted(f.Hint)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.chosen)) {
		_, done := t.done[name]
		switch {
		case t.failed[name] != nil:
			errs = multierror.Append(errs, fmt.Errorf("volume %s: %w", name, t.failed[name]))
		case !done && !said[name]:
			errs = multierror.Append(errs, fmt.Errorf("volume %s was not trimmed: strata plan says what is to be done to it first", name))
		}
	}
	return errs.ErrorOrNil()
}

func hinted(hint string) string {
	if hint == "" {
		return ""
	}
	return "; " + hint
}
