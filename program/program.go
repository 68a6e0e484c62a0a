// Package program runs programs of the user's, such as fence agents: each in a process
// group of its own, which is ended as a whole when its time is over, with the end of its
// output, of which only what is fit to be shown is shown. What a program is to do, and what
// is believed of it, others know.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Call is how a program is run.
type Call struct {
	Command []string // the program (Find) and its arguments
	Input   string   // on its standard input
	Env     []string // beside strata's own environment, without what is for strata alone
	Secrets []string // that are never shown
	Hushed  bool     // its output is a secret, and nothing of it is shown; its errors are
}

// Answer is what a program said and how it ended.
type Answer struct {
	Code int
	Out  []byte // as it came, at most the last 1 MiB
	Said string // in a line that follows on what happened, to be shown; "" for nothing
}

// ErrTimeout is the cause of a context whose time is over, for Run to say so.
var ErrTimeout = errors.New("timeout")

// killAfter is how long a program has to end once it was told to.
const killAfter = time.Second

// Run runs a program, and ends it, with all that it has started, when the context ends.
// An error is that it has not ended by itself.
func (c Call) Run(ctx context.Context) (is Answer, err error) {
	path, err := Find(c.Command[0])
	if err != nil {
		return is, err
	}
	out, errs := &output{}, &output{}
	cmd := exec.CommandContext(ctx, path, c.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = strings.NewReader(c.Input), out, errs, append(environment(), c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 2 * killAfter
	group := func(sig syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, sig) }
	var kill *time.Timer
	cmd.Cancel = func() error {
		kill = time.AfterFunc(killAfter, func() { _ = group(syscall.SIGKILL) })
		return group(syscall.SIGTERM)
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(context.Cause(ctx), ErrTimeout) {
			err = ErrTimeout
		}
		return is, err
	}
	err = cmd.Wait()
	_ = group(syscall.SIGKILL) // what it has started, and left
	if kill != nil {
		kill.Stop()
	}
	is = Answer{Code: cmd.ProcessState.ExitCode(), Out: out.Bytes(), Said: said(c.Secrets, c.shown(errs, out)...)}
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), ErrTimeout):
		return is, fmt.Errorf("%w%s", ErrTimeout, is.Said)
	case ctx.Err() != nil:
		return is, fmt.Errorf("interrupted%s", is.Said)
	case is.Code < 0 || !exited(err):
		return is, fmt.Errorf("%w%s", err, is.Said) // by a signal
	}
	return is, nil
}

// shown is what of a program's output may be shown, errors first.
func (c Call) shown(errs, out *output) []*output {
	if !c.Hushed {
		return []*output{errs, out}
	}
	return []*output{errs}
}

// exited reports whether a program has ended by itself, by what came of waiting for it:
// with whatever code, and also if something that it has left has its output open.
func exited(err error) bool {
	var exit *exec.ExitError
	return err == nil || errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay)
}

// Find is where a program is: where PATH says, or in one of the directories where
// packages put fence agents, which are in root's PATH alone. An absolute path stays.
func Find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil || filepath.IsAbs(program) || errors.Is(err, exec.ErrDot) {
		return path, err
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s on this machine, in PATH or /usr/sbin", program)
}

// environment is that of strata without what is for strata alone, passwords among it.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "STRATA_") })
}

// maxOutput is how much of an agent's output is kept; the metadata of those of
// ClusterLabs have 25 KiB.
const maxOutput = 1 << 20

// output keeps the end of what is written to it.
type output struct{ bytes.Buffer }

func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	if o.Len()+n > maxOutput {
		p = p[max(0, n-maxOutput):]
		o.Next(o.Len() + len(p) - maxOutput)
	}
	if _, err := o.Buffer.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}
