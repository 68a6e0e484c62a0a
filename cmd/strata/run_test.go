package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"

	"strata/spdk/sim"
)

// process makes a command of a program that runs in a directory.
func process(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "NO_COLOR=1")
	return cmd
}

// process makes a command that is part of the story.
func (s *script) process(args []string) *exec.Cmd {
	cmd := process(s.MkAbs("."), args...)
	cmd.Stdout, cmd.Stderr = s.Stdout(), s.Stderr()
	for _, key := range storyEnv {
		cmd.Env = append(cmd.Env, key+"="+s.Getenv(key))
	}
	return cmd
}

// storyEnv are the variables that a story may set for a command.
var storyEnv = []string{"HOME", "N1_PASSWORD", "SSH_AUTH_SOCK", "STRATA_ARCHIVE_PASSWORD", "STRATA_DB_KEY", "STRATA_DB_NEW", "STRATA_FENCE_AGENTS", "STRATA_IPMI_PASSWORD", "STRATA_S3_SECRET_KEY", "STRATA_SECRETS", "STRATA_SSH_KNOWN_HOSTS", "STRATA_VIP_COMMANDS"}

func (l *lab) cmdCode(s *script, args []string) error {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	cmd := s.process(args[1:])
	if err := ran(cmd.Run()); err != nil {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		return fmt.Errorf("it ended with %d, not %d", got, want)
	}
	return nil
}

// ran passes over the error of a program that ended with an exit code or by a signal.
func ran(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

func (l *lab) cmdAt(s *script, args []string) error {
	sig := map[string]syscall.Signal{"KILL": syscall.SIGKILL, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	cmd := s.process(args[2:])
	sent, err := l.signalAt(cmd, sig, args[1])
	if err == nil && !sent {
		err = fmt.Errorf("it ended before call %s: %v", args[1], cmd.ProcessState)
	}
	return err
}

// signalAt runs a program and signals it at the Nth call that changes
// something, or at the first of a method, which has no effect when the signal
// kills. It reports whether the signal was sent.
func (l *lab) signalAt(cmd *exec.Cmd, sig syscall.Signal, when string) (bool, error) {
	nth, _ := strconv.Atoi(when)
	calls, sent := 0, false
	running := make(chan struct{})
	l.cluster.Inject(func(c sim.Call) sim.Fault {
		<-running
		if c.Writes {
			calls++
		}
		if sent || c.Method != when && !(c.Writes && calls == nth) {
			return sim.Fault{}
		}
		sent = true
		cmd.Process.Signal(sig)
		return sim.Fault{LoseBefore: sig == syscall.SIGKILL}
	})
	defer l.cluster.Inject(nil)
	err := cmd.Start()
	close(running)
	if err == nil {
		err = ran(cmd.Wait())
	}
	l.cluster.Inject(nil) // after it, no hook runs any more
	return sent, err
}
