package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// Reader is a host that reads a volume without end, by bdevperf.
type Reader struct {
	l      *Lab
	volume string
	cmd    *exec.Cmd
	out    bytes.Buffer
	ended  chan error
}

// StartReader starts a host that reads for so many seconds, and returns when it
// does: a host that connects only after a change says nothing about it. It
// returns nil without bdevperf.
func (l *Lab) StartReader(volume string, seconds int) *Reader {
	l.t.Helper()
	if l.bin.Bdevperf == "" {
		l.t.Log("without BDEVPERF no host reads during this")
		return nil
	}
	r := &Reader{l: l, volume: volume, ended: make(chan error, 1)}
	r.cmd = l.program(l.bin.Bdevperf, l.hostConfig(volume), "-q", "4", "-o", "4096", "-w", "randread", "-t", fmt.Sprint(seconds))
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	l.t.Cleanup(func() {
		r.cmd.Process.Kill()
		tidy(r.cmd.Process.Pid)
	})
	r.reading("before the change")
	return r
}

// reading waits until the volume's device counts further reads of the host.
func (r *Reader) reading(when string) {
	r.l.t.Helper()
	first := r.l.reads(r.volume)
	Eventually(r.l.t, time.Minute, "the host reads "+when, func() error {
		select {
		case err := <-r.ended:
			r.l.t.Fatalf("bdevperf ended %s, too early to say anything: %v\n%s", when, err, r.out.String())
		default:
		}
		if now := r.l.reads(r.volume); now <= first {
			return wanted{now, fmt.Sprintf("more than %d reads", first)}
		}
		return nil
	})
}

// reads is how many reads the device behind a volume's export has seen.
func (l *Lab) reads(volume string) (ops uint64) {
	l.t.Helper()
	nqn, port := l.Export(volume)
	for _, x := range l.Targets {
		if x.Port != port {
			continue
		}
		var subs []struct {
			NQN        string
			Namespaces []struct {
				Bdev string `json:"bdev_name"`
			}
		}
		x.Into(&subs, "nvmf_get_subsystems", "")
		for _, s := range subs {
			if s.NQN != nqn || len(s.Namespaces) == 0 {
				continue
			}
			var stat struct {
				Bdevs []struct {
					Reads uint64 `json:"num_read_ops"`
				}
			}
			x.Into(&stat, "bdev_get_iostat", fmt.Sprintf(`{"names":[%q]}`, s.Namespaces[0].Bdev))
			for _, b := range stat.Bdevs {
				ops += b.Reads
			}
		}
	}
	return ops
}

// results is the line of bdevperf's table that sums up: IOPS, MiB/s, failures
// and timeouts a second, average, least and greatest latency in microseconds.
var results = regexp.MustCompile(`(?m)Total\s*:\s*([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)`)

// Wait expects the host to be reading still, now that the change is made, then
// waits for its end. It fails when any read did, and returns the longest.
func (r *Reader) Wait() time.Duration {
	if r == nil {
		return 0
	}
	r.l.t.Helper()
	r.reading("after the change")
	if err := <-r.ended; err != nil {
		r.l.t.Fatalf("bdevperf saw an error: %v\n%s", err, r.out.String())
	}
	m := results.FindStringSubmatch(r.out.String())
	if m == nil || m[3] != "0.00" || m[4] != "0.00" {
		r.l.t.Fatalf("bdevperf does not say that nothing failed:\n%s", r.out.String())
	}
	longest, _ := strconv.ParseFloat(m[7], 64)
	return time.Duration(longest) * time.Microsecond
}
