package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/plan/saved"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// carrying is how a plan is carried out.
type carrying struct {
	src     source
	hold    rules
	approve bool
	asJSON  bool
	quiet   bool
	jobs    int
	wait    time.Duration
	all     everyStep
	attach  bool           // disks only
	compact bool           // the question is put with a line for each object
	part    plan.Selection // that is carried out
	swept   []string       // volumes that are destroyed for not being configured
	said    []plan.Finding // to be said before anything is done
}

func (c *carrying) flags(cmd *cobra.Command) {
	c.src.targetFlags(cmd)
	c.src.agentFlags(cmd)
	c.src.moverFlags(cmd)
	c.src.archiveFlags(cmd)
	c.hold.flags(cmd)
	cmd.Flags().BoolVar(&c.approve, "auto-approve", false, "do not ask")
	c.all.flag(cmd)
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print one event a line as JSON")
	quietFlag(cmd, &c.quiet)
	cmd.MarkFlagsMutuallyExclusive("json", "quiet")
	durationFlag(cmd, &c.wait, "lock-timeout", 10*time.Second, 0, "how long to wait for another apply that has locked the nodes")
	countFlag(cmd, &c.jobs, "parallelism", 10, 1, "volumes that may be held, copied, reduced or destroyed at a time")
}

// out carries out what is to be done with these options, or a saved plan.
func (c *carrying) out(cmd *cobra.Command, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, planOpt plan.Options, saved *saved.Saved, digest string) error {
	if saved == nil {
		planOpt.Now = time.Now().Unix()
	}
	out := cmd.OutOrStdout()
	told, flush := lazily(out)
	defer flush()
	show := newReporter(told, cfg, c.asJSON, c.quiet)
	defer show.close()
	opt, err := attended(&c.src, cfg, planOpt, show, c.wait)
	if err != nil {
		return err
	}
	guard := opt.Guard
	opt.Attach = c.attach
	opt.Parallelism, opt.Saved, opt.Part, opt.Archives = c.jobs, saved, c.part, c.src.archivesOf(cfg)
	opt.Fence, opt.Addresses, opt.Keys, opt.HostKeys = c.src.switchOff, c.src.mover, c.src.key, c.src.hostKey
	defer c.src.closeArchives()
	opt.Waiting = func(all []state.Waiting) {
		for _, w := range all {
			show.tell(fmt.Sprintf("waiting for %s, %v at most, and hosts that write wait with it: %s", w.From, cfg.Links.Patience(), w.How()))
		}
	}
	opt.Delayed = func(d apply.Delay) { show.tell(fmt.Sprintf("waiting for %v: %s", d.For.Round(time.Second), d.Why)) }
	if err := c.hold.hold(&opt, &c.src, cfg); err != nil {
		return err
	}
	if c.approve && !c.attach {
		forewarn(&opt, show.tell)
	}
	if !c.approve && saved == nil && !c.attach {
		if c.asJSON || !interactive(os.Stdin) {
			return fmt.Errorf("nobody can be asked for approval here; pass --auto-approve")
		}
		opt.Confirm = func(p *plan.Plan) bool {
			flush()
			return c.asked(c.all.of(p.Outline("")), cfg, cmd.InOrStdin(), out)
		}
	}
	foresee(&opt, cfg, show.foreseen)
	start := time.Now()
	show.begin()
	for _, f := range c.said {
		text := f.About + ": " + f.Text
		if f.Hint != "" {
			text += "; " + f.Hint
		}
		show.tell(text)
	}
	if saved != nil {
		show.tell("carrying out the plan with digest " + digest)
	}
	r, err := apply.Run(cmd.Context(), cfg, targets, opt)
	if held := guard.Holding(); len(held) > 0 {
		show.tell("hosts of " + strings.Join(texts(held), ", ") + " wait: letting them go on")
	}
	if left := guard.Close(); left != nil {
		err = errors.Join(err, fmt.Errorf("hosts may wait still, until apply is run again: %w", left))
	}
	if err == nil {
		err = outcome(cfg, r)
		show.summary(r, time.Since(start), codeOf(err))
	} else {
		show.broke(r, time.Since(start), err)
	}
	return err
}
