package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// watching is a watch that runs beside a story.
type watching struct {
	cmd *exec.Cmd
	log string
	at  int // what was waited for ends there
}

// patience is how long a story waits for what a watch does.
const watchPatience = 20 * time.Second

func (l *lab) cmdWatch(s *script, args []string) error {
	signals := map[string]syscall.Signal{"-stop": syscall.SIGTERM, "-hangup": syscall.SIGHUP, "-kill": syscall.SIGKILL}
	if len(args) == 1 && signals[args[0]] != 0 {
		w := l.watch
		if w == nil {
			return fmt.Errorf("no watch runs")
		}
		if err := w.cmd.Process.Signal(signals[args[0]]); err != nil || args[0] == "-hangup" {
			return err
		}
		l.watch = nil
		if err := w.cmd.Wait(); err != nil && args[0] == "-stop" {
			text, _ := os.ReadFile(w.log)
			return fmt.Errorf("it ended badly: %v\n%s", err, text)
		}
		return nil
	}
	if l.watch != nil {
		return fmt.Errorf("one runs already")
	}
	log := filepath.Join(l.dir, "watch.log")
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := s.process(append(append([]string{"strata", "watch"}, args...), "lab"))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	l.watch = &watching{cmd: cmd, log: log}
	return nil
}

func (l *lab) cmdLogged(_ *script, args []string) error {
	want, err := regexp.Compile("(?m)" + args[0])
	if err != nil {
		return err
	}
	w := l.watch
	if w == nil {
		return fmt.Errorf("no watch runs")
	}
	for until := time.Now().Add(watchPatience); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(w.log)
		if err != nil {
			return err
		}
		if at := want.FindIndex(text[w.at:]); at != nil {
			w.at += at[1]
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("it does not log %s; since then it has:\n%s", args[0], text[w.at:])
		}
	}
}
