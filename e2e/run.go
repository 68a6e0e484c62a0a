package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Event is a line that apply prints with --json, as far as the stories look.
type Event struct {
	Event   string // step, of one that has ended; progress; or what else it says
	Pass    int
	Section string
	Node    string
	Text    string
	Time    time.Time // when the step began
	Seconds float64
	Error   string

	Layer  string // of progress
	To     string
	Copied int64 // bytes
	Total  int64 // bytes of the whole layer
}

// UnmarshalJSON reads a line of docs/machine-output.md.
func (e *Event) UnmarshalJSON(b []byte) error {
	var line struct {
		Event, Section, Error, Layer, To string
		Time                             time.Time
		Pass                             int
		Step                             struct{ Node, Text string }
		Seconds                          float64
		CopiedBytes, TotalBytes          int64
	}
	if err := json.Unmarshal(b, &line); err != nil {
		return err
	}
	*e = Event{
		Event: line.Event, Pass: line.Pass, Section: line.Section, Node: line.Step.Node, Text: line.Step.Text,
		Time: line.Time.Add(-time.Duration(line.Seconds * float64(time.Second))), Seconds: line.Seconds, Error: line.Error,
		Layer: line.Layer, To: line.To, Copied: line.CopiedBytes, Total: line.TotalBytes,
	}
	if line.Event == "finished" || line.Event == "failed" {
		e.Event = "step"
	}
	return nil
}

// End is when the step ended.
func (e Event) End() time.Time { return e.Time.Add(time.Duration(e.Seconds * float64(time.Second))) }

// Run is an apply under way, or another verb.
type Run struct {
	l      *Lab
	cmd    *exec.Cmd
	start  time.Time
	stderr bytes.Buffer
	done   sync.WaitGroup

	mu     sync.Mutex
	events []Event
	lines  []string
}

// StartApply starts an apply that prints its events as JSON.
func (l *Lab) StartApply(flags ...string) *Run {
	l.t.Helper()
	return l.start("apply", append([]string{"--auto-approve", "--json", "--timeout", "60s"}, flags...)...)
}

// start starts a verb on the lab's configuration.
func (l *Lab) start(verb string, flags ...string) *Run {
	l.t.Helper()
	args := append(append([]string{verb}, flags...), filepath.Join(l.Dir, "lab.cue"))
	r := &Run{l: l, cmd: exec.Command(strata(l.t), args...)}
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	r.start = time.Now()
	if err := r.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { r.cmd.Process.Kill() })
	r.done.Go(func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e Event
			err := json.Unmarshal(lines.Bytes(), &e)
			r.mu.Lock()
			if err == nil {
				r.events = append(r.events, e)
			}
			r.lines = append(r.lines, lines.Text())
			r.mu.Unlock()
		}
	})
	return r
}

// Events are what it has printed so far.
func (r *Run) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// Out is all it has printed.
func (r *Run) Out() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n") + "\n" + r.stderr.String()
}

// Wait waits until it has ended and returns its exit code; -1 when it was killed.
func (r *Run) Wait() int {
	r.done.Wait()
	r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

// Kill ends it as the power does; its guard is a process of its own and lives.
func (r *Run) Kill() { r.cmd.Process.Kill() }

// Freeze stops the process; Thaw lets it go on.
func (r *Run) Freeze() { r.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (r *Run) Thaw() { r.cmd.Process.Signal(syscall.SIGCONT) }

// Memory is what it has had in memory at most, in bytes; 0 when it has ended. What the
// kernel says of a child that has ended counts its parent, too.
func (r *Run) Memory() (most int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(line, &most); err != nil {
		return 0
	}
	return most << 10
}

// Expect waits and expects an exit code.
func (r *Run) Expect(code int) []Event {
	r.l.t.Helper()
	if got := r.Wait(); got != code {
		r.l.t.Fatalf("apply ended with %d, not %d:\n%s", got, code, r.Out())
	}
	return r.Events()
}

// Pause is a time for which hosts were held.
type Pause struct {
	From, To time.Time     // its first call, and the answer of what lets hosts go on
	Drain    time.Duration // of it, until what they had sent was done
	Swap     bool          // the listener was away, so hosts had to connect again
	Steps    []string      // with the time each took
}

// Took is how long it was.
func (p Pause) Took() time.Duration { return p.To.Sub(p.From) }

func (p Pause) String() string {
	return fmt.Sprintf("%v: %s", p.Took().Round(time.Millisecond), strings.Join(p.Steps, ", "))
}

// Pauses are those of a run, of one volume.
func Pauses(events []Event) (pauses []Pause) {
	var p Pause
	for _, e := range events {
		hold, hide := strings.HasPrefix(e.Text, "hold I/O on "), strings.HasPrefix(e.Text, "stop listening for ")
		if e.Event != "step" || e.Error != "" || p.From.IsZero() && !hold && !hide {
			continue
		}
		if hold {
			p.Drain += e.End().Sub(e.Time)
		}
		if p.From.IsZero() {
			p.From = e.Time
		}
		p.Swap = p.Swap || hide
		p.Steps = append(p.Steps, fmt.Sprintf("%s %v", strings.Join(strings.Fields(e.Text)[:2], " "), e.End().Sub(e.Time).Round(time.Millisecond)))
		if strings.HasPrefix(e.Text, "let I/O on ") || strings.HasPrefix(e.Text, "listen for ") {
			p.To = e.End()
			pauses = append(pauses, p)
			p = Pause{}
		}
	}
	return pauses
}

// Copied is what a copy of a layer came to.
type Copied struct {
	Layer string
	Bytes int64
	Took  time.Duration
}

// Rate is in MiB a second.
func (c Copied) Rate() float64 { return float64(c.Bytes) / mib / c.Took.Seconds() }

func (c Copied) String() string {
	return fmt.Sprintf("%s: %d MiB in %v, %.0f MiB/s", c.Layer, c.Bytes/mib, c.Took.Round(time.Millisecond), c.Rate())
}

// Copies are the copies of layers, those that were not finished included.
func Copies(events []Event) (copies []Copied) {
	open := map[string]int64{} // bytes copied by layer
	for _, e := range events {
		switch {
		case e.Event == "progress" && e.Total > 0:
			open[e.Layer] = e.Copied
		case e.Event == "step" && strings.HasPrefix(e.Text, "copy ") && strings.Contains(e.Text, " of layer "):
			_, rest, _ := strings.Cut(e.Text, " of layer ")
			alias, _, _ := strings.Cut(rest, " to ")
			_, layer, _ := strings.Cut(alias, "/")
			copies = append(copies, Copied{layer, open[layer], time.Duration(e.Seconds * float64(time.Second))})
			delete(open, layer)
		}
	}
	for layer, bytes := range open {
		copies = append(copies, Copied{Layer: layer, Bytes: bytes})
	}
	return copies
}
