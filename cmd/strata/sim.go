package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"strata/spdk/sim"
)

func newSim() *cobra.Command {
	var (
		opts     sim.Options
		diskSize int
		faults   []string
		profile  string
		nvme     bool
		away     bool
		stop     bool
	)
	cmd := &cobra.Command{
		Use:   "sim --dir DIR NODE...",
		Short: "Serve simulated targets, for trying things out",
		Long: `sim serves one simulated spdk_tgt for each NODE on DIR/NODE.sock until it is
interrupted. The targets reach one another at the addresses they listen on,
without a network. Their disks are kept in DIR and survive a restart with
everything on them; all else is lost, as with a real target. With --background
the command ends once they are served, and "strata sim --dir DIR --stop" ends them.

With --nvme hosts outside of the simulation reach what is exported over NVMe/TCP,
as they would reach a real target: Linux with "nvme connect", SPDK, or whatever
else speaks it. A target listens at the addresses that it is told by RPC. One that
is not this machine's is served at a port of 127.0.0.1 instead, which is printed.
Hosts that an export does not list are refused. In turn a target attaches to whatever
listens where no simulated target does: strata is that for backups.

Things go wrong on request: by --fault, or by a line on the standard input while
it runs. Such a line is one of

` + sim.Grammar,
		Example: `  strata sim --dir /tmp/lab n1 n2 n3
  strata sim --dir /tmp/lab --background n1 n2 n3
  strata sim --dir /tmp/lab --stop
  strata sim --dir /tmp/lab --profile longhorn n1 n2 n3
  strata sim --dir /tmp/lab --nvme n1 n2 n3
  strata sim --dir /tmp/lab --fault "kill n2 10s at 17" --fault "fail n1 bdev_lvol_rename 2 after" n1 n2 n3`,
		Args: func(cmd *cobra.Command, args []string) error {
			if stop {
				return takes(0, 0)(cmd, args)
			}
			return takes(1, -1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Dir == "" {
				return fmt.Errorf("--dir is missing: where are sockets and disks to be kept?")
			}
			switch {
			case stop:
				return stopSim(cmd.OutOrStdout(), opts.Dir)
			case away:
				return simInBackground(cmd.OutOrStdout(), opts.Dir, os.Args[1:])
			}
			var err error
			if opts.Profile, err = sim.ParseProfile(profile); err != nil {
				return err
			}
			var rules []sim.Rule
			for _, line := range faults {
				r, err := sim.ParseRule(line)
				if err != nil {
					return err
				}
				rules = append(rules, r)
			}
			if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
				return err
			}
			dir := opts.Dir
			opts.Dir, opts.DiskSize = filepath.Join(dir, "disks"), int64(diskSize)<<20
			if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
				return err
			}
			if nvme {
				opts.NVMe = (&doors{out: cmd.OutOrStdout()}).listen
				opts.Dial = dialTCP
			}
			cluster := sim.New(opts)
			defer cluster.Close()
			for _, name := range args {
				socket := filepath.Join(dir, name+".sock")
				_, err := cluster.Start(name, socket)
				if errors.Is(err, sim.ErrServed) {
					return fmt.Errorf("%w: end that process first, or give another --dir", err)
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "serving", name, "on", socket)
			}
			if err := cluster.Play(rules...); err != nil {
				return err
			}
			if mark, err := serving(dir); err != nil {
				return err
			} else if mark != nil {
				defer mark.Close()
			}
			go playLines(cluster, cmd.InOrStdin(), cmd.ErrOrStderr())
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
			<-signals
			return nil
		},
	}
	cmd.Flags().StringVar(&opts.Dir, "dir", "", "`DIR` for sockets and disks")
	cmd.Flags().StringVar(&profile, "profile", "stock", "which `BUILD` of SPDK the targets are: stock (v26.05) or longhorn (v24.09)")
	cmd.Flags().StringArrayVar(&faults, "fault", nil, "what goes wrong, as a `RULE`; may be repeated")
	cmd.Flags().BoolVar(&nvme, "nvme", false, "have hosts reach exports over NVMe/TCP, on the network of this machine")
	cmd.Flags().BoolVar(&away, "background", false, "end once the targets are served, and go on serving them as a process of its own")
	cmd.Flags().BoolVar(&stop, "stop", false, "end what serves targets in DIR")
	cmd.MarkFlagsMutuallyExclusive("background", "stop")
	durationFlag(cmd, &opts.Tick, "tick", 4*time.Millisecond, 0, "how often a target looks at its sockets; 0: at once")
	countFlag(cmd, &diskSize, "disk-size", 64<<10, 1, "size of every disk, in `MiB`")
	return cmd
}

// playLines plays the rules that come in, one a line.
func playLines(cluster *sim.Cluster, in io.Reader, out io.Writer) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if lines.Text() == "" {
			continue
		}
		r, err := sim.ParseRule(lines.Text())
		if err == nil {
			err = cluster.Play(r)
		}
		if err != nil {
			fmt.Fprintln(out, "strata:", err)
		}
	}
}
