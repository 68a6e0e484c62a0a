package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// watching is a watch that runs beside a story.
type watching struct {
	cmd *exec.Cmd
	log string
	at  int // what was waited for ends there
}

// watchPatience is how long a story waits for what a watch does.
const watchPatience = 3 * time.Minute

// watchSignals are what a story sends a watch.
var watchSignals = map[string]syscall.Signal{
	"-stop": syscall.SIGTERM, "-kill": syscall.SIGKILL, "-hangup": syscall.SIGHUP, "-freeze": syscall.SIGSTOP, "-thaw": syscall.SIGCONT,
}

// named takes the name of a watch from arguments that may begin with it.
func named(args []string) (string, []string) {
	if len(args) > 0 && strings.HasPrefix(args[0], "-as=") {
		return args[0][len("-as="):], args[1:]
	}
	return "watch", args
}

func (l *lab) cmdWatch(s *script, args []string) error {
	name, args := named(args)
	w := l.watches[name]
	if len(args) == 1 && watchSignals[args[0]] != 0 {
		if w == nil {
			return fmt.Errorf("no watch runs that is called %s", name)
		}
		return l.signal(name, args[0])
	}
	if w != nil {
		return fmt.Errorf("one runs already that is called %s", name)
	}
	log := filepath.Join(l.dir, name+".log")
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
	l.watches[name] = &watching{cmd: cmd, log: log}
	return nil
}

// signal signals a watch, and waits for its end where that is what it is for.
func (l *lab) signal(name, what string) error {
	w := l.watches[name]
	err := w.cmd.Process.Signal(watchSignals[what])
	if err != nil || what != "-stop" && what != "-kill" {
		return err
	}
	delete(l.watches, name)
	if err := w.cmd.Wait(); err != nil && what == "-stop" {
		text, _ := os.ReadFile(w.log)
		return fmt.Errorf("it ended badly: %v\n%s", err, text)
	}
	return nil
}

func (l *lab) cmdLogged(_ *script, args []string) error {
	name, args := named(args)
	patience := watchPatience
	if d, ok := strings.CutPrefix(args[0], "-within="); ok {
		var err error
		if patience, err = time.ParseDuration(d); err != nil {
			return err
		}
		args = args[1:]
	}
	w := l.watches[name]
	if w == nil {
		return fmt.Errorf("no watch runs that is called %s", name)
	}
	if file, ok := strings.CutPrefix(args[0], "-since="); ok {
		before, err := os.ReadFile(filepath.Join(l.dir, file))
		if err != nil {
			return err
		}
		w.at, args = len(before), args[1:]
	}
	want, err := regexp.Compile("(?m)" + args[0])
	if err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
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
