package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Watch is a strata watch of a lab.
type Watch struct {
	Record string // of what it has called, see exchange

	l   *Lab
	cmd *exec.Cmd
	log *lines
	end sync.Once
}

// lines is what a program prints.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// StartWatch starts a watch that does without a person what can be done so. It has
// looked when it returns, and ends with the test. Of a flag that is given twice the last counts.
func (l *Lab) StartWatch(flags ...string) *Watch {
	l.t.Helper()
	w := &Watch{Record: filepath.Join(l.Dir, "watch.rpc"), l: l, log: &lines{}}
	args := append([]string{"watch", "--auto", "serve,fence,rebuild,change", "--log", "json", "--log-level", "debug", "--timeout", "5s", "--debug-rpc", w.Record}, flags...)
	w.cmd = exec.Command(strata(l.t), append(args, filepath.Join(l.Dir, "lab.cue"))...)
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		w.stop()
		if l.t.Failed() && w.log.String() != "" {
			l.t.Logf("the watch has logged:\n%s", w.log)
		}
	})
	w.Logged(time.Now().Add(-time.Hour), "looked", "")
	return w
}

func (w *Watch) stop() {
	w.end.Do(func() {
		w.cmd.Process.Signal(syscall.SIGTERM)
		w.cmd.Wait()
	})
}

// Stop ends it, and expects it to end well. What it has logged is forgotten then, unless
// the test has failed.
func (w *Watch) Stop() {
	w.l.t.Helper()
	w.stop()
	if !w.cmd.ProcessState.Success() {
		w.l.t.Errorf("the watch ended badly: %v", w.cmd.ProcessState)
		return
	}
	if !w.l.t.Failed() {
		w.log = &lines{}
	}
}

// Logged waits for a message since some time that has a text in its line, and returns
// when it was logged.
func (w *Watch) Logged(since time.Time, message, with string) (at time.Time) {
	w.l.t.Helper()
	Eventually(w.l.t, time.Minute, "the watch logs "+message+" "+with, func() error {
		for line := range strings.Lines(w.log.String()) {
			var e struct {
				Time time.Time
				Msg  string
			}
			if json.Unmarshal([]byte(line), &e) == nil && e.Msg == message && !e.Time.Before(since) && strings.Contains(line, with) {
				at = e.Time
				return nil
			}
		}
		return os.ErrNotExist
	})
	return at
}
