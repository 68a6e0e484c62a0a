package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/plan"
	"strata/plan/recipe"
	"strata/state"
)

func newRebalance() *cobra.Command {
	var (
		run    carrying
		may    grants
		form   planForm
		within = share(0.1)
		only   bool
		file   string
	)
	cmd := &cobra.Command{
		Use:   "rebalance [DIR | FILE...]",
		Short: "Move replicas and engines so that pools are about equally full",
		Long: `rebalance looks at the nodes and moves replicas until every pool is within
--within of how full all pools are together, by copying few bytes, and engines until
nodes serve about as many volumes. It moves nothing that the configuration pins (on,
engine, labels, pool), nothing that is protected, and no engine whose hosts would have
to connect elsewhere. It shows the plan and asks, as apply does; with --plan or --out it
only shows or saves it. Whatever else apply would do is in the plan, too.

The configuration does not change: where replicas are then, they stay. Run again, it
moves nothing; interrupted, it goes on where it ended, and a plain apply lets go of what
was begun.

Exit codes: those of apply; with --plan or --out, those of plan.`,
		Example: `  strata rebalance --plan .
  strata rebalance --within 5% --auto-approve .
  strata rebalance --out move.plan . && strata apply move.plan`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := run.src.load(args)
			if err != nil {
				return err
			}
			opt, err := may.options(cfg)
			if err != nil {
				return err
			}
			pol, err := run.hold.load(&run.src)
			if err != nil {
				return err
			}
			targets, closeAll, err := run.src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			opt.Now = time.Now().Unix()
			snap := state.Read(cmd.Context(), cfg.Cluster, targets)
			var said []plan.Finding
			opt.Wishes, said = recipe.Rebalance(cfg, snap, state.ReadConnected(cmd.Context(), snap, cfg.Cluster, targets), opt, float64(within))
			if only || file != "" {
				form.json, form.quiet, form.all, opt.Explain = run.asJSON, run.quiet, run.all, form.explain
				see := preview{form: form, policy: pol, file: file}
				return see.show(cmd, &run.src, args, cfg, snap, opt, said)
			}
			if form.explain || form.markdown {
				return errors.New("--explain and --markdown are for a plan that is shown: add --plan")
			}
			run.compact = form.compact
			run.said = said
			if run.approve { // nobody is shown the plan
				run.said = append(run.said, opt.Wishes.Findings()...)
			}
			return run.out(cmd, cfg, targets, opt, nil, "")
		},
	}
	run.flags(cmd)
	may.flags(cmd)
	cmd.Flags().Var(&within, "within", "how far a pool may be from how full all are together, in hundredths of its size, and a node from the mean of volumes served")
	cmd.Flags().BoolVar(&only, "plan", false, "show the plan, and change nothing")
	cmd.Flags().StringVar(&file, "out", "", "save the plan in `FILE`, for show and apply, and change nothing")
	form.viewFlags(cmd)
	return cmd
}

// share is a part of a whole, written in hundredths: 10%.
type share float64

func (s *share) Set(text string) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") {
		return errors.New("want a share such as 10%")
	}
	if !(n >= 1 && n <= 50) {
		return errors.New("want 1% to 50%")
	}
	*s = share(n / 100)
	return nil
}

func (s *share) String() string { return fmt.Sprintf("%g%%", float64(*s)*100) }

func (s *share) Type() string { return "share" }
