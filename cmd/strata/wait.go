package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/report"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// awaited are what can be waited for.
var awaited = []string{"healthy", "converged", "gone"}

func newWait() *cobra.Command {
	var (
		src     source
		volumes chosenVolumes
		what    string
		timeout time.Duration
		every   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "wait [DIR | FILE...] [VOLUME...]",
		Short: "Wait until volumes are healthy, as configured, or gone",
		Long: `wait looks at the nodes until what --for says is so, for the volumes that are
named, or for all that are configured, and changes nothing. An argument that is no
file or directory is a volume, as is what --volume names.

  healthy    every volume is served as configured, and all its replicas are current
  converged  nothing is left to do, and nothing is blocked; of volumes that are
             named, for those
  gone       nothing of the volumes, which have to be named, is left on any node;
             a node that cannot be read may have some

Exit codes: 0 it is so, 1 error, 4 it was not within --timeout.`,
		Example: `  strata wait examples/lab db --for healthy --timeout 10m
  strata wait --for converged .`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := src.load(volumes.from(args))
			if err != nil {
				return err
			}
			if !slices.Contains(awaited, what) {
				return fmt.Errorf("--for %s: there is nothing so called to wait for; %s", what, schema.Hint(what, "conditions", awaited))
			}
			if what == "gone" && len(volumes.names) == 0 {
				return fmt.Errorf("--for gone: name the volumes that are to be gone")
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			w := waiting{cfg: cfg, targets: targets, what: what, volumes: volumes}
			return w.until(ctx, every, time.Now().Add(timeout), timeout)
		},
	}
	src.flags(cmd)
	src.answerFlag(cmd, "rpc-timeout")
	src.recordFlags(cmd)
	volumes.flag(cmd)
	durationFlag(cmd, &timeout, "timeout", 5*time.Minute, time.Millisecond, "how long to wait")
	cmd.Flags().StringVar(&what, "for", "healthy", "wait until volumes are `STATE`: healthy, converged or gone")
	durationFlag(cmd, &every, "every", time.Second, 100*time.Millisecond, "how often the nodes are looked at")
	return cmd
}

// waiting is what somebody waits for.
type waiting struct {
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	what    string
	volumes chosenVolumes
}

// until returns when it is so, or with the exit code of a time that is over.
func (w *waiting) until(ctx context.Context, every time.Duration, end time.Time, timeout time.Duration) error {
	said := ""
	for {
		missing, err := w.missing(ctx)
		switch {
		case ctx.Err() != nil:
			return exitCode(1)
		case err != nil:
			return err
		case len(missing) == 0:
			return nil
		}
		if text := strings.Join(missing, "\n  "); text != said {
			said = text
			fmt.Fprintf(stderr, "not %s yet:\n  %s\n", w.what, text)
		}
		left := time.Until(end)
		if left <= 0 {
			fmt.Fprintf(stderr, "strata: not %s within %v; strata status shows what there is, strata plan what is to be done\n", w.what, timeout)
			return exitTimeout
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(every, left)):
		}
	}
}

// missing says what is not so yet, a line each.
func (w *waiting) missing(ctx context.Context) ([]string, error) {
	snap := state.Read(ctx, w.cfg.Cluster, w.targets)
	r := report.Build(w.cfg, snap)
	if w.what != "gone" {
		if err := w.volumes.check(r.VolumeNames()); err != nil {
			return nil, err
		}
	}
	switch w.what {
	case "gone":
		return gone(r, w.volumes.names), nil
	case "converged":
		return w.left(snap)
	}
	return unhealthy(r, w.cfg, w.volumes.names), nil
}

// unhealthy says which volumes are not healthy: of those that are named, else of
// those that are configured.
func unhealthy(r *report.Report, cfg *schema.Config, names []string) (missing []string) {
	for _, v := range r.Volumes {
		wanted := slices.Contains(names, v.Name) || len(names) == 0 && cfg.Volume(v.Name) != nil
		if wanted && v.Health != report.Healthy {
			missing = append(missing, inLine(strings.TrimSuffix(fmt.Sprintf("volume %s is %s, %s: %s", v.Name, v.Health, v.Copies(), v.Why), ": ")))
		}
	}
	return missing
}

// gone says what may be left of volumes.
func gone(r *report.Report, names []string) (missing []string) {
	for _, v := range r.Volumes {
		if slices.Contains(names, v.Name) && v.Health != report.Absent {
			missing = append(missing, inLine(fmt.Sprintf("volume %s is %s", v.Name, v.Health)))
		}
	}
	for _, n := range r.Nodes {
		if n.Unknown != "" {
			missing = append(missing, inLine(fmt.Sprintf("node %s may have some of it: %s", n.Name, n.Unknown)))
		}
		for _, p := range n.Pools {
			if p.Disk == "" {
				missing = append(missing, inLine(fmt.Sprintf("pool %s of %s, which was not found, may have some of it", p.Name, n.Name)))
			}
		}
	}
	return missing
}

// left says what is to be done still, and what is blocked.
func (w *waiting) left(snap *state.Snapshot) (missing []string, err error) {
	p, err := recipe.Build(w.cfg, snap, plan.Options{Now: time.Now().Unix()})
	if err != nil {
		return nil, err
	}
	seen := map[plan.Key]bool{}
	for _, pass := range p.Passes {
		for _, s := range pass.Sections {
			if key := s.Key(); !seen[key] && w.concerns(key) {
				seen[key] = true
				missing = append(missing, inLine(key.String())+" has something to do")
			}
		}
	}
	for _, f := range p.Blocked {
		if len(w.volumes.names) == 0 || slices.ContainsFunc(w.volumes.names, func(v string) bool { return f.About == plan.VolumeKey(v).String() }) {
			missing = append(missing, inLine(fmt.Sprintf("%s is blocked: %s", f.About, f.Text)))
		}
	}
	return missing, nil
}

// concerns reports whether a section matters to who waits: the volumes' own.
func (w *waiting) concerns(key plan.Key) bool {
	v, is := key.Volume()
	return len(w.volumes.names) == 0 || is && slices.Contains(w.volumes.names, v.Name)
}
