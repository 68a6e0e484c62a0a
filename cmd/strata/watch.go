package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/metrics"
	"strata/plan"
	"strata/schema"
	"strata/view"
	"strata/watch"
)

func newWatch() *cobra.Command {
	var (
		src   source
		hold  rules
		log   logForm
		lead  leading
		every time.Duration
		jobs  int
		auto  []string
		at    listen
		sums  string
	)
	cmd := &cobra.Command{
		Use:   "watch [DIR | FILE...]",
		Short: "Keep the nodes as they are configured, until it is ended",
		Long: `watch is an apply that does not end. It looks at the nodes when the
configuration is edited, when the pulse of a node, which is taken each second,
is another than before, when a snapshot or a scrub falls due, and every minute; and it
carries out what it may do without a person: what auto says in the configuration,
or --auto. Of "serve", "fence", "rebuild" and "move" each needs the one before,
"change" only "serve". A configuration that is broken is reported, and
the last one that was not stays in force.

Of several watches of a cluster one works, and the others stand by: whoever has
the seat on the nodes, or with --lead whom etcd has elected.

The rest waits for a person, what would destroy something always: strata plan
shows it, and strata apply carries it out, also while watch runs.

SIGHUP has the configuration read again, and what was given up tried again. The
first SIGTERM or ^C ends it after the steps in hand and any pause of hosts' I/O;
the second leaves at once. It tells systemd how it is (Type=notify, WatchdogSec).

With --listen it serves a page that shows what there is and what is done, which
changes nothing, and for monitoring /metrics, /healthz and /readyz. An address that
others reach needs a token and TLS.

Exit codes: 0 ended as asked, 1 error.`,
		Example: `  strata watch /etc/strata
  strata watch --auto serve,fence,rebuild,change /etc/strata
  strata watch --log json --every 5m /etc/strata
  strata watch --lead etcd://strata@e1:2379,e2:2379,e3:2379/strata --lead-ca /etc/strata/etcd.pem /etc/strata
  strata watch --listen 127.0.0.1:9470 /etc/strata`,
		RunE: func(cmd *cobra.Command, args []string) error {
			logger, err := log.logger(cmd.OutOrStdout())
			if err != nil {
				return err
			}
			if err := at.check(); err != nil {
				return err
			}
			var all *schema.Auto // instead of what the configuration says
			if cmd.Flags().Changed("auto") {
				words, err := schema.ParseAuto(auto)
				if err != nil {
					return fmt.Errorf("--auto: %w", err)
				}
				all = &words
			}
			observe := []func(watch.Event){}
			if at.address != "" {
				board := view.New(all)
				counts := metrics.New(board, describe())
				stopServing, err := at.serve(cmd.Context(), logger, board, counts)
				if err != nil {
					return err
				}
				defer stopServing()
				logger = slog.New(slog.NewMultiHandler(logger.Handler(), board.Log()))
				observe = append(observe, board.Observe, counts.Observe)
				src.trace, src.reached = counts.Trace, board.Reach
			}
			client, closeLog, err := src.connector()
			if err != nil {
				return err
			}
			defer closeLog()
			if _, err := hold.load(&src); err != nil {
				return err
			}
			hangup := make(chan struct{}, 1)
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, syscall.SIGHUP)
			defer signal.Stop(signals)
			go func() {
				for range signals {
					hangup <- struct{}{}
				}
			}()
			lock, err := newWatchLock()
			if err != nil {
				return err
			}
			leader, err := lead.leader(lock)
			if err != nil {
				return err
			}
			compared := newComparison(nil, sums)
			if err := compared.readSums(); err != nil {
				return err
			}
			observe = append(observe, compared.observe)
			told := &watchLog{log: logger, auto: all}
			system := newSystemd(os.Getenv)
			observe = append(observe, told.observe, system.observe)
			stop := interrupts()
			go func() {
				<-stop
				system.say("STOPPING=1")
			}()
			return watch.Run(cmd.Context(), watch.Options{
				Load: func() (*schema.Config, *schema.Sources, error) {
					cfg, files, err := src.loadSources(args)
					if err == nil {
						err = src.mayRunAll(cfg)
					}
					if err == nil {
						err = src.mayMoveAll(cfg)
					}
					return cfg, files, err
				},
				Connect: client,
				Prepare: func(cfg *schema.Config) (apply.Options, error) {
					opt := apply.Options{
						Plan: plan.Options{Auto: cfg.Autos(told.auto)}, Parallelism: jobs, Lock: lock, Guard: &apply.Guard{Start: src.guard},
						Starting: func(apply.Event) {}, Fence: src.switchOff, Addresses: src.mover, Keys: src.key, HostKeys: src.hostKey, Archives: src.archivesOf(cfg),
					}
					opt.Scrubs = &apply.Scrubs{Listen: src.archives.listen, Compare: compared.logged(cfg, opt.Archives, logger)}
					return opt, hold.hold(&opt, &src, cfg)
				},
				Leader: leader, Every: every, Stop: stop, Hangup: hangup, Alive: func() {
					at.turned()
					system.alive()
				},
				Observe: func(e watch.Event) {
					for _, tell := range observe {
						tell(e)
					}
				},
			})
		},
	}
	src.targetFlags(cmd)
	src.agentFlags(cmd)
	src.moverFlags(cmd)
	src.archiveFlags(cmd)
	hold.flags(cmd)
	log.flags(cmd)
	lead.flags(cmd)
	at.flags(cmd)
	sumsFlag(cmd, &sums)
	cmd.Flags().StringSliceVar(&auto, "auto", nil, "what may be done without a person, `serve,fence,rebuild,change,move` or some of these, instead of what the configuration says; \"\" is nothing")
	durationFlag(cmd, &every, "every", time.Minute, time.Second, "how often the nodes are looked at when nothing happens")
	countFlag(cmd, &jobs, "parallelism", 10, 1, "volumes that may be held, copied, reduced or destroyed at a time")
	return cmd
}

// lockWait is how long a watch waits for an apply that has locked the nodes before it
// looks at them again.
const lockWait = time.Minute
