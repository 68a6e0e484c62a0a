package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/apply"
	"strata/plan"
	"strata/plan/retention"
	"strata/plan/saved"
	"strata/schema"
)

func newApply() *cobra.Command {
	var (
		run    carrying
		may    grants
		pick   selecting
		sweep  bool
		attach bool
		file   string
		digest string
	)
	cmd := &cobra.Command{
		Use:   "apply [DIR | FILE... | PLAN]",
		Short: "Carry out what has to be done, pass by pass, until nothing is left",
		Long: `apply looks at the nodes, plans, carries out one pass and looks again, until
nothing is left to do. The first ^C ends it after the steps in hand and any
pause of hosts' I/O; the second leaves at once.

Given a plan that was saved by plan --out, as --plan FILE or as the only argument
when its name ends in .plan, it carries out the steps of that plan and no others,
and does not ask. With --digest it must be the very plan that was approved. Where
anything else would be needed, because the nodes are not as they were, it stops
and says what differs. Run again, it goes on where it ended.

What breaks a rule of --policy is not done: before anything is, the whole plan is
held to the rules, and later every pass.

--attach only attaches the disks of nodes that lack theirs, such as after a power cut,
and does not ask: it is known then what they hold, so that plan --out makes a whole
plan of it, to be approved once.

--destroy destroys every volume that is there and not configured, once somebody has
typed the cluster's name: --auto-approve does not stand for that. Nothing of a volume
that is configured goes by it.

Exit codes: 0 converged, 1 error, 3 some volumes are blocked and the rest converged.`,
		Example: `  strata apply examples/lab
  strata apply --auto-approve --allow-destroy db:n2 .
  strata apply --only volume/db .
  strata apply --attach .
  strata apply --digest sha256:5f1c… change.plan`,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := chosen(file, args)
			if err != nil {
				return err
			}
			if attach && name != "" {
				return errors.New("--attach goes before a plan is made: name the configuration")
			}
			cfg, planOpt, saved, err := applied(&run.src, run.hold.was != "", &may, name, &digest, args)
			if err != nil {
				return err
			}
			if saved == nil {
				run.said = run.src.unread(args)
			}
			if saved != nil && planOpt.Now != 0 && retention.Late(planOpt.Now, time.Now().Unix()) {
				run.said = append(run.said, overdue(planOpt.Now))
			}
			targets, closeAll, err := run.src.connect(cfg)
			if err != nil {
				return err
			}
			defer closeAll()
			if sweep {
				if err := run.sweep(cmd, cfg, targets, &planOpt, saved); err != nil {
					return err
				}
			}
			if run.part, err = pick.of(cfg, planOpt); err != nil {
				return err
			}
			run.attach = attach
			return run.out(cmd, cfg, targets, planOpt, saved, digest)
		},
	}
	run.flags(cmd)
	may.flags(cmd)
	pick.flags(cmd)
	sweepFlag(cmd, &sweep)
	cmd.Flags().BoolVar(&attach, "attach", false, "attach disks, so that it is known what they hold, and do nothing else")
	cmd.MarkFlagsMutuallyExclusive("attach", "destroy")
	cmd.MarkFlagsMutuallyExclusive("attach", "only")
	cmd.MarkFlagsMutuallyExclusive("attach", "except")
	cmd.Flags().BoolVar(&run.compact, "compact", false, "ask with a line for each object, and the steps that copy, reduce or destroy")
	cmd.Flags().StringVar(&file, "plan", "", "carry out the saved plan in `FILE`; one whose name ends in .plan needs no --plan")
	cmd.Flags().StringVar(&digest, "digest", "", "refuse a saved plan that has another `DIGEST` (sha256:…) than show has printed")
	return cmd
}

// overdue says what a saved plan does not do any more that was made for a time.
func overdue(at int64) plan.Finding {
	return plan.Finding{
		About: "snapshots on schedule",
		Text:  "the plan is of " + retention.Clock(at) + ", and a snapshot taken now would say that it is of then: it takes none, and lets none go",
		Hint:  "strata plan says which are due now",
	}
}

// applied is what is to be applied: configuration and options, or those of a
// saved plan, whose digest it checks, or finds out.
func applied(src *source, was bool, may *grants, file string, digest *string, args []string) (*schema.Config, plan.Options, *saved.Saved, error) {
	if file != "" {
		saved, err := approved(src, was, may, file, digest)
		if err != nil {
			return nil, plan.Options{}, nil, err
		}
		return saved.PlanConfig(), saved.PlanOptions(), saved, nil
	}
	if *digest != "" {
		return nil, plan.Options{}, nil, fmt.Errorf("--digest is that of a saved plan, and none is named: pass --plan FILE")
	}
	cfg, err := src.load(args)
	if err != nil {
		return nil, plan.Options{}, nil, err
	}
	opt, err := may.options(cfg)
	return cfg, opt, nil, err
}

// approved reads a saved plan that is to be carried out now.
func approved(src *source, was bool, may *grants, file string, digest *string) (*saved.Saved, error) {
	fixed := *src
	if was { // tags are for that configuration
		fixed.tags, fixed.vars = nil, false
	}
	saved, err := readFixed(file, &fixed, may, "")
	if err != nil {
		return nil, err
	}
	is, err := saved.Digest()
	if err != nil {
		return nil, err
	}
	if *digest != "" && *digest != is {
		return nil, fmt.Errorf("%s is not the plan that was approved: its digest is %s, not %s", file, is, *digest)
	}
	*digest = is
	if now := saved.Options.Now; tooEarly(now) {
		return nil, fmt.Errorf("%s was made for %s, which has not come yet: snapshots would be taken now and say that they are of then; make a plan without --at, or see to this machine's clock", file, time.Unix(now, 0).UTC().Format(time.RFC3339))
	}
	return saved, nil
}

// outcome turns a result into the error that gives the exit code.
func outcome(cfg *schema.Config, r *apply.Result) error {
	switch {
	case len(r.Failures) > 0:
		return failures(cfg, r)
	case len(r.Deviations) > 0:
		lines := []string{"the plan cannot be carried out as it was made:"}
		for _, d := range r.Deviations {
			d = *inLines(&d)
			lines = append(lines, "  "+strings.ReplaceAll(d.Error(), "\n", "\n  "))
		}
		return errors.New(strings.Join(append(lines, "make a new plan and have it approved"), "\n"))
	case r.Stopped || r.Declined:
		return exitCode(1)
	case !r.Converged:
		return exitBlocked
	}
	return nil
}

// interrupts returns a channel that the first ^C closes. The second leaves at once.
func interrupts() <-chan struct{} {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stop := make(chan struct{})
	go func() {
		<-signals
		fmt.Fprintln(stderr, "strata: ending after the steps in hand; once more to leave at once")
		close(stop)
		<-signals
		os.Exit(130)
	}()
	return stop
}

func confirm(o *plan.Outline, in io.Reader, out io.Writer) bool {
	if err := o.Print(out); err != nil {
		return false
	}
	return agreed(in, out, "\nCarry this out?")
}

// asked shows a plan and asks whether it may be carried out. What destroys all that is not
// configured takes the cluster's name.
func (c *carrying) asked(o *plan.Outline, cfg *schema.Config, in io.Reader, out io.Writer) bool {
	show := o.Print
	if c.compact {
		show = o.Compact
	}
	if err := show(out); err != nil {
		return false
	}
	if len(c.swept) == 0 {
		return agreed(in, out, "\nCarry this out?")
	}
	fmt.Fprintf(out, "\nThis destroys %s, which %s: %s.\nTo carry it out, type the name of the cluster, %s: ", amount.Of(len(c.swept), "volume"), notConfigured(len(c.swept)), inLine(strings.Join(c.swept, ", ")), cfg.Cluster)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(answer) == string(cfg.Cluster)
}
