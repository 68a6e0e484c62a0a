//go:build bench

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"strata/state"
)

// watched is a strata watch of a lab, by its log.
type watched struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan map[string]any
}

func (l *lab) watch(args ...string) *watched {
	l.t.Helper()
	cmd := exec.Command(l.bin, append(append([]string{"watch", "--log", "json", "--log-level", "debug", "--auto", "serve,fence,rebuild,change", "--timeout", "1m"}, args...), l.file)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	w := &watched{t: l.t, cmd: cmd, lines: make(chan map[string]any, 100_000)}
	l.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	go func() {
		defer close(w.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			line := map[string]any{}
			if json.Unmarshal(scan.Bytes(), &line) == nil {
				w.lines <- line
			}
		}
	}()
	return w
}

// await returns the next line with a message.
func (w *watched) await(msg string) map[string]any {
	w.t.Helper()
	for late := time.After(5 * time.Minute); ; {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("the watch has ended")
			}
			if line["msg"] == msg {
				return line
			}
		case <-late:
			w.t.Fatalf("no line %q", msg)
		}
	}
}

// cpu is what the watch has used so far.
func (w *watched) cpu() time.Duration {
	w.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		w.t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// TestWatch measures a watch of 1,000 volumes on 100 nodes: what it takes while
// nothing happens, whole looks and all, what a pulse brings from a node, and how long
// after an edit the nodes are first called.
func TestWatch(t *testing.T) {
	l := newLab(t, 100)
	l.configure(1_000, 3)
	l.run("apply", "--auto-approve")
	l.pulses()
	w := l.watch()
	w.await("looked")
	time.Sleep(5 * time.Second)

	const idle = 3 * time.Minute
	before := w.cpu()
	time.Sleep(idle)
	used := w.cpu() - before
	figure(t, "idle watch / a core", ratio(used, idle), 0.03, "CPU time of a watch of 1,000 volumes on 100 nodes in %v in which nothing happens, %v", idle, used)

	var all, reading []time.Duration
	for i := range 5 {
		text, err := os.ReadFile(l.file)
		if err != nil {
			t.Fatal(err)
		}
		for len(w.lines) > 0 {
			<-w.lines
		}
		start := time.Now()
		if err := os.WriteFile(l.file, append(text, fmt.Sprintf("// edit %d\n", i)...), 0o644); err != nil {
			t.Fatal(err)
		}
		loaded := w.await("configuration is in force")
		looked := w.await("looked")
		ended, err := time.Parse(time.RFC3339Nano, looked["time"].(string))
		if err != nil {
			t.Fatal(err)
		}
		took := ended.Add(-time.Duration(looked["took"].(float64))).Sub(start)
		read := time.Duration(loaded["took"].(float64))
		t.Logf("edit to first call: %v, of which reading the configuration %v", took, read)
		all, reading = append(all, took), append(reading, read)
		time.Sleep(3 * time.Second)
	}
	figure(t, "edit to first call / reading the configuration", ratio(median(all), median(reading)), 1.6, "from the writing of a file to the first call, with 1,000 volumes, %v, against the reading of the configuration in between, %v; medians of 5. Less than 300 ms is wanted of a machine that does nothing else", median(all), median(reading))
}

// pulses prints what a pulse brings, and makes sure that lvols are not in it.
func (l *lab) pulses() {
	l.t.Helper()
	cfg, targets := l.load()
	n := cfg.Nodes[0].Name
	c := targets[n]
	pulse := func() int64 {
		if _, err := state.Pulse(context.Background(), c, nil); err != nil {
			l.t.Fatal(err)
		}
		before := c.Bytes()
		if _, err := state.Pulse(context.Background(), c, nil); err != nil {
			l.t.Fatal(err)
		}
		return c.Bytes() - before
	}
	few := pulse()
	lvstore := state.Read(context.Background(), cfg.Cluster, targets).Nodes[n]
	for name := range lvstore.Lvstores {
		for i := range 1_000 {
			if err := c.Call(context.Background(), "bdev_lvol_create", map[string]any{"lvol_name": fmt.Sprintf("other%d", i), "size_in_mib": 4, "lvs_name": name, "thin_provision": true}, nil); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	many := pulse()
	l.t.Logf("a pulse has %d bytes of a node with %d lvols, %d RAIDs and %d subsystems, and %d with 1,000 lvols more", few, len(lvstore.Lvols), len(lvstore.Raids), len(lvstore.Subsystems), many)
	if many > few+64 {
		l.t.Errorf("a pulse costs more where there are more lvols: %d bytes, and %d", few, many)
	}
}
