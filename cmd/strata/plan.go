package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"strata/plan/retention"
	"strata/state"
)

func newPlan() *cobra.Command {
	var (
		src      source
		may      grants
		pick     selecting
		sweep    bool
		show     planForm
		at       string
		detailed bool
		hold     rules
		file     string
		what     supposing
	)
	cmd := &cobra.Command{
		Use:   "plan [DIR | FILE...]",
		Short: "Show what has to be done, in order; change nothing",
		Long: `plan looks at the nodes and prints every step between what is there and what
is configured, with its reason and its risk. It changes nothing.

With --if it says what would become of each volume if nodes were lost now: which
would stop, and until when, for how long hosts of others would wait, which would be
served by another node, how many replicas are left, and what would be copied. Then
follows what plan would say then. Nothing of that is saved or carried out.

Exit codes: 0 there is a plan, 1 error, or the plan breaks a rule of --policy (it
is shown with that rule, and not saved); with --detailed-exitcode 2 when there is
something to do, 3 when there is not, but something is blocked; with --if 2 when a
volume would stop.`,
		Example: `  strata plan examples/lab
  strata plan --explain --detailed-exitcode .   # 0: nothing to do, 2: changes, 3: blocked
  strata plan --markdown . > comment.md
  strata plan --only volume/db --except node/n2 .
  strata plan --if n2=down .                    # 0: no volume would stop, 2: one would
  strata plan --out change.plan .               # to be carried out by: strata apply change.plan`,
		RunE: func(cmd *cobra.Command, args []string) error {
			supposes := len(what.cases) > 0
			if supposes {
				if err := what.check(cmd); err != nil {
					return err
				}
			}
			cfg, err := src.load(args)
			if err != nil {
				return err
			}
			opt, err := may.options(cfg)
			if err != nil {
				return err
			}
			pol, err := hold.load(&src)
			if err != nil {
				return err
			}
			opt.Explain = show.explain
			if opt.Now, err = moment(at); err != nil {
				return err
			}
			if file != "" && at != "" {
				return errors.New("--at does not go with --out: what is saved is carried out, and snapshots would say that they are of another time")
			}
			targets, closeAll, err := src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			snap := state.Read(cmd.Context(), cfg.Cluster, targets)
			if supposes {
				what.form = show
				return what.show(cmd, &src, cfg, snap, opt)
			}
			if sweep {
				releaseUnconfigured(cfg, snap, &opt)
			}
			see := preview{form: show, policy: pol, file: file, detailed: detailed}
			if see.part, err = pick.of(cfg, opt); err != nil {
				return err
			}
			return see.show(cmd, &src, args, cfg, snap, opt, src.unread(args))
		},
	}
	src.targetFlags(cmd)
	may.flags(cmd)
	pick.flags(cmd)
	sweepFlag(cmd, &sweep)
	cmd.Flags().StringVar(&file, "out", "", "save the plan in `FILE`, for show and apply")
	cmd.Flags().StringVar(&at, "at", "", "plan as if it were that `TIME` (2026-11-20T19:30:00Z), for snapshots on schedule")
	show.flags(cmd)
	what.flag(cmd)
	hold.flags(cmd)
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there is something to do, else with 3 when something is blocked")
	return cmd
}

// tooEarly reports whether a time is later than a clock that is a little behind
// can explain.
func tooEarly(at int64) bool { return at > time.Now().Unix()+retention.ClockSkew }

// moment reads a time in RFC 3339; "" is now.
func moment(at string) (int64, error) {
	if at == "" {
		return time.Now().Unix(), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return 0, fmt.Errorf("--at %s: want a time such as 2026-11-20T19:30:00Z", at)
	}
	return t.Unix(), nil
}
