package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"strata/nvmetcp"
	"strata/spdk/reachtest"
	"strata/spdk/sim"
)

// lab is the targets of a story, and the hosts that use them.
type lab struct {
	dir     string
	cluster *sim.Cluster // nil until the story starts targets
	nodes   []string
	hosts   map[string]*host // by volume
	closers []func()
	sshd    *reachtest.SSHD
	keys    [2]*nvmetcp.Key      // of hosts that connect: their own, and the target's
	psk     *nvmetcp.PSK         // of hosts that connect by TLS; nil: they do not
	watches map[string]*watching // that run, by name
	logins  int                  // of sshd, when it was last asked
}

func newLab(dir string) *lab {
	return &lab{dir: dir, hosts: map[string]*host{}, watches: map[string]*watching{}}
}

func (l *lab) close() {
	for _, w := range l.watches {
		w.cmd.Process.Kill()
		w.cmd.Wait()
	}
	for _, h := range l.hosts {
		h.stop()
	}
	for _, c := range l.closers {
		c()
	}
	if l.cluster != nil {
		l.cluster.Close()
	}
}

func (l *lab) socket(node string) string { return filepath.Join(l.dir, node+".sock") }

// start serves targets that answer at once and keep their disks in memory.
func (l *lab) start(opts sim.Options, nodes ...string) error {
	if l.cluster == nil {
		l.cluster = sim.New(opts)
	}
	for _, n := range nodes {
		if _, err := l.cluster.Start(n, l.socket(n)); err != nil {
			return err
		}
		l.nodes = append(l.nodes, n)
	}
	return nil
}

func (l *lab) target(node string) (*sim.Target, error) {
	if l.cluster != nil {
		if t := l.cluster.Target(node); t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("there is no target %s", node)
}

// each does something to every target named.
func (l *lab) each(nodes []string, do func(*sim.Target) error) error {
	if len(nodes) == 0 {
		nodes = l.nodes
	}
	var errs []error
	for _, n := range nodes {
		t, err := l.target(n)
		if err == nil {
			err = do(t)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (l *lab) cmdSim(_ *script, args []string) error {
	opts := sim.Options{DiskSize: 1 << 40}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		key, value, _ := strings.Cut(args[0], "=")
		switch key {
		case "-size":
			size, err := bytesOf(value)
			if err != nil {
				return err
			}
			opts.DiskSize = size
		case "-copy":
			rate, err := bytesOf(value)
			if err != nil {
				return err
			}
			opts.CopyRate = rate
		case "-profile":
			profile, err := sim.ParseProfile(value)
			if err != nil {
				return err
			}
			opts.Profile = profile
		case "-nvme":
			opts.NVMe, opts.Dial = (&doors{out: io.Discard}).listen, dialTCP
		case "-only":
			opts.Disks = map[string]int64{value: opts.DiskSize}
		default:
			return fmt.Errorf("unknown flag %s", key)
		}
		args = args[1:]
	}
	return l.start(opts, args...)
}

// cmdCopies holds copies where they are, and lets them go on.
func (l *lab) cmdCopies(_ *script, args []string) error {
	switch {
	case args[0] == "hold" && len(args) == 1:
		l.cluster.HoldCopies(math.MaxInt)
	case args[0] == "hold":
		asked, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		l.cluster.HoldCopies(asked)
	case args[0] == "end":
		l.cluster.HoldCopies(0)
		for until := time.Now().Add(awaitLimit); l.cluster.Copying() > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				return errors.New("copies do not end")
			}
		}
	default:
		return fmt.Errorf("copies are held or ended, and not %s", args[0])
	}
	return nil
}

func (l *lab) cmdDown(_ *script, args []string) error {
	return l.each(args, func(t *sim.Target) error { t.Stop(); return nil })
}

func (l *lab) cmdUp(_ *script, args []string) error {
	return l.each(args, (*sim.Target).Restart)
}

func (l *lab) cmdClone(_ *script, args []string) error {
	to, path, _ := strings.Cut(args[1], ":")
	return l.cluster.CopyDisk(args[0], "/dev/disk", to, cmp.Or(path, "/dev/disk"))
}

func (l *lab) cmdFreeze(_ *script, args []string) error {
	return l.each(args, func(t *sim.Target) error { t.Freeze(); return nil })
}

func (l *lab) cmdThaw(_ *script, args []string) error {
	return l.each(args, func(t *sim.Target) error { t.Thaw(); return nil })
}

func (l *lab) cmdPartition(_ *script, args []string) error {
	if len(args) == 1 {
		l.cluster.Darken(args[0])
		return nil
	}
	l.cluster.Partition(args[0], args[1])
	return nil
}

func (l *lab) cmdHeal(_ *script, args []string) error {
	if len(args) == 1 {
		l.cluster.Lighten(args[0])
		return nil
	}
	l.cluster.Heal(args[0], args[1])
	return nil
}

func (l *lab) cmdDisk(_ *script, args []string) error {
	from, err := l.target(args[1])
	if err != nil {
		return err
	}
	if args[0] == "replace" {
		return from.ReplaceDisk(args[2])
	}
	give := map[string]func(from, path, to, as string) error{"move": l.cluster.MoveDisk, "copy": l.cluster.CopyDisk}[args[0]]
	return give(args[1], args[2], args[3], args[4])
}

func (l *lab) cmdFault(_ *script, args []string) error {
	if args[0] == "-none" {
		l.cluster.Unplay()
		return nil
	}
	for _, line := range args {
		r, err := sim.ParseRule(line)
		if err != nil {
			return err
		}
		if err := l.cluster.Play(r); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf reads a size such as 4Ki or 64Mi.
func bytesOf(s string) (int64, error) {
	digits := strings.TrimRight(s, "KMGTi")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift, known := map[string]int{"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}[s[len(digits):]]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return n << shift, nil
}
