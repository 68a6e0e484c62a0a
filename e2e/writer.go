package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"strata/spdk"
)

// block is what a Writer writes at a time, in bytes.
const block = 4096

// Writer is a host that writes a part of a volume from its first block to its
// last, over and over, by bdevperf. Every block it writes has the number of the
// write in it, and is read back and compared. So what a part has to look like
// follows from the number of the last write, and a write that was lost shows.
type Writer struct {
	l        *Lab
	offset   int // MiB
	size     int // MiB
	depth    int
	cmd      *exec.Cmd
	out      bytes.Buffer
	gone     chan struct{} // closed when bdevperf has ended
	client   *spdk.Client  // of bdevperf
	ended    chan struct{}
	watching sync.WaitGroup
	gaps     []Gap
	acked    int64 // writes that were acknowledged, at least
}

// Gap is a time in which no write of a Writer ended.
type Gap struct{ From, To time.Time }

// Long is how long it was.
func (g Gap) Long() time.Duration { return g.To.Sub(g.From) }

// Load is what came of a Writer.
type Load struct {
	Writes  int64         // all acknowledged
	Rate    float64       // a second
	Longest time.Duration // that any write or read took
	Gaps    []Gap         // those of 100 ms and more
}

// Stall is the longest gap that a pause is in, but for those that had begun a second before it:
// these another has caused.
func (l Load) Stall(p Pause) (longest time.Duration) {
	for _, g := range l.Gaps {
		if g.From.Before(p.To) && g.To.After(p.From) && g.From.After(p.From.Add(-time.Second)) {
			longest = max(longest, g.Long())
		}
	}
	return longest
}

func (l Load) String() string {
	return fmt.Sprintf("%d writes verified, %.0f/s, longest stall %v", l.Writes, l.Rate, l.Longest.Round(time.Millisecond))
}

// StartWriter starts writing to a part of a volume, size MiB from offset on. It
// is writing when it returns, until Stop.
func (l *Lab) StartWriter(volume string, offset, size, depth int) *Writer {
	l.t.Helper()
	if l.bin.Bdevperf == "" {
		l.t.Skip("needs a host that verifies what it writes: set BDEVPERF to the path of bdevperf")
	}
	w := &Writer{l: l, offset: offset, size: size, depth: depth, ended: make(chan struct{})}
	jobs := filepath.Join(l.Dir, fmt.Sprintf("writer%d.jobs", l.programs.Load()))
	text := fmt.Sprintf("[writer]\nfilename=hostn1\noffset=%d\nlength=%d\n", offset*mib/block, size*mib/block)
	if err := os.WriteFile(jobs, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
	// A host that comes just while nobody listens for it gives up, and comes again.
	Eventually(l.t, time.Minute, "the writer writes", func() error { return w.start(volume, jobs) })
	w.watching.Go(w.watch)
	return w
}

// start starts bdevperf, and returns when it writes.
func (w *Writer) start(volume, jobs string) error {
	if _, x := w.l.exported(volume); x == nil {
		return fmt.Errorf("%s is exported nowhere", volume)
	}
	w.out.Reset()
	w.cmd = w.l.program(w.l.bin.Bdevperf, w.l.hostConfig(volume), "-j", jobs, "-w", "verify", "-U", "-q", fmt.Sprint(w.depth), "-o", fmt.Sprint(block), "-t", "3600")
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	if err := w.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := w.cmd, make(chan struct{})
	w.gone = ended
	go func() {
		cmd.Wait()
		tidy(cmd.Process.Pid)
		close(ended)
	}()
	w.l.t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	client, err := spdk.New("unix://"+cmd.Args[slices.Index(cmd.Args, "-r")+1], spdk.Options{})
	if err != nil {
		return err
	}
	w.client = client
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		select {
		case <-ended:
			client.Close()
			return fmt.Errorf("it has ended: %v\n%s", cmd.ProcessState, w.out.String())
		case <-time.After(20 * time.Millisecond):
		}
		if n, err := w.Done(); err == nil && n >= 100 {
			return nil
		}
	}
	cmd.Process.Kill()
	<-ended
	client.Close()
	return errors.New("it makes no progress")
}

// Done is how many writes are done.
func (w *Writer) Done() (int64, error) {
	var stat spdk.Iostat
	req := spdk.NewReq(spdk.IostatGet{Names: []string{"hostn1"}}, &stat)
	if err := w.client.Round(context.Background(), req); err != nil {
		return 0, err
	}
	if req.Err != nil || len(stat.Bdevs) != 1 {
		return 0, fmt.Errorf("no count of hostn1: %v", req.Err)
	}
	return int64(stat.Bdevs[0].WriteOps), nil
}

// Longest is how long any of the disk's writes took that has ended since it was asked
// last, as the host's target counts it: from when the writer has asked for it, over all
// paths, until it was told that it is done.
func (w *Writer) Longest() time.Duration {
	w.l.t.Helper()
	var stat struct {
		TickRate int64 `json:"tick_rate"` // a second
		Bdevs    []struct {
			Longest int64 `json:"max_write_latency_ticks"`
		} `json:"bdevs"`
	}
	params := json.RawMessage(`{"names":["hostn1"],"reset_mode":"maxmin"}`)
	req := &spdk.Req{Method: "bdev_get_iostat", Params: params, Result: &stat}
	if err := w.client.Round(context.Background(), req); err != nil || req.Err != nil || len(stat.Bdevs) != 1 || stat.TickRate == 0 {
		w.l.t.Fatalf("the host does not say how long its writes take: %v", cmp.Or(err, req.Err))
	}
	return time.Duration(float64(stat.Bdevs[0].Longest) / float64(stat.TickRate) * float64(time.Second))
}

// watch looks for gaps until the writer ends.
func (w *Writer) watch() {
	last, at := int64(-1), time.Now()
	for {
		n, err := w.Done()
		now := time.Now()
		if err == nil && n != last {
			if long := now.Sub(at); long >= 100*time.Millisecond {
				w.gaps = append(w.gaps, Gap{at, now})
			}
			last, at = n, now
		}
		select {
		case <-w.ended:
			if now := time.Now(); now.Sub(at) >= 100*time.Millisecond {
				w.gaps = append(w.gaps, Gap{at, now})
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Going waits until at least n more writes are done, and returns when they are.
func (w *Writer) Going(n int64, limit time.Duration) time.Time {
	w.l.t.Helper()
	first, err := w.Done()
	if err != nil {
		w.l.t.Fatal(err)
	}
	for until := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		if now, err := w.Done(); err == nil && now >= first+n {
			return time.Now()
		}
		if time.Now().After(until) {
			w.l.t.Fatalf("the writer has stalled for %v", limit)
		}
	}
}

// Stalled waits until no write was done for so long, and returns since when.
func (w *Writer) Stalled(long, limit time.Duration) time.Time {
	w.l.t.Helper()
	last, since := int64(-1), time.Now()
	for until := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		now, err := w.Done()
		switch {
		case err != nil:
			w.l.t.Fatal(err)
		case now != last:
			last, since = now, time.Now()
		case time.Since(since) >= long:
			return since
		}
		if time.Now().After(until) {
			w.l.t.Fatalf("the writer has not stalled within %v", limit)
		}
	}
}

// table finds the line of bdevperf's figures: seconds, I/O a second, failures a
// second, and the longest latency in microseconds.
var table = regexp.MustCompile(`(?m)^\s*hostn1\s*:\s*([0-9.]+)\s+([0-9.]+)\s+[0-9.]+\s+([0-9.]+)\s+[0-9.]+\s+[0-9.]+\s+[0-9.]+\s+([0-9.]+)`)

// Stop ends the writer and fails the test when any write or read had failed.
func (w *Writer) Stop() Load {
	w.l.t.Helper()
	close(w.ended)
	w.watching.Wait()
	acked, err := w.Done()
	if err == nil {
		w.acked = acked
	}
	w.client.Close()
	w.cmd.Process.Signal(syscall.SIGINT)
	<-w.gone
	m := table.FindStringSubmatch(w.out.String())
	if how := w.cmd.ProcessState; !how.Success() || m == nil {
		w.l.t.Fatalf("the writer has failed: %v\n%s", how, w.out.String())
	}
	var f [5]float64
	for i := 1; i < len(m); i++ {
		f[i], _ = strconv.ParseFloat(m[i], 64)
	}
	if f[3] != 0 {
		w.l.t.Errorf("the writer saw errors:\n%s", w.out.String())
	}
	return Load{Writes: int64(f[1]*f[2] + 0.5), Rate: f[2], Longest: time.Duration(f[4] * 1000), Gaps: w.gaps}
}

// last finds the highest number of a write in an image of the whole volume.
func (w *Writer) last(image []byte) int64 {
	last := int64(-1)
	for at := w.offset * mib; at < (w.offset+w.size)*mib; at += block {
		if n, ok := number(image[at : at+block]); ok {
			last = max(last, n)
		}
	}
	return last
}

// number is the number of the write that a block has; false where nothing was
// written.
func number(b []byte) (int64, bool) {
	v := binary.LittleEndian.Uint64(b)
	return int64(v >> 32), binary.LittleEndian.Uint64(b[8:])&0xffffffff == 8
}

// Check compares an image of the whole volume with what the writer has written
// until it ended, or, for a layer, until it was cut: then those that were under
// way may be in it or not. It returns the number of writes in it.
func (w *Writer) Check(image []byte, cut bool) (int64, error) {
	blocks := int64(w.size) * mib / block
	last := w.last(image)
	open := int64(0)
	if cut {
		open = int64(w.depth)
	}
	for b := range blocks {
		at := int64(w.offset)*mib + b*block
		have, written := number(image[at : at+block])
		want := last - (last-b)%blocks // the last write to this block
		if last < b {
			want = -1
		}
		switch {
		case !written && (want < 0 || want > last-2*open && want < blocks):
		case written && (have == want || have == want-blocks && want > last-2*open):
			if err := whole(image[at:at+block], have); err != nil {
				return 0, fmt.Errorf("block %d: %w", b, err)
			}
		default:
			return 0, fmt.Errorf("block %d has write %d (%v), and of %d writes the last to it was %d", b, have, written, last+1, want)
		}
	}
	if !cut && last+1 < w.acked {
		return 0, fmt.Errorf("%d writes are in it, and %d were acknowledged", last+1, w.acked)
	}
	return last + 1, nil
}

// whole checks that all of a block is of one write.
func whole(b []byte, n int64) error {
	for i := 0; i < len(b); i += 8 {
		if v := binary.LittleEndian.Uint64(b[i:]); v != uint64(n)<<32|uint64(i) {
			return fmt.Errorf("it is torn at byte %d: %x, of write %d", i, v, n)
		}
	}
	return nil
}
