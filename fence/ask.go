package fence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"strata/schema"
)

// What an agent is asked.
const (
	actionMetadata = "metadata"
	actionMonitor  = "monitor"
	actionStatus   = "status"
	actionOff      = "off"
	actionReboot   = "reboot" // which it never is
)

// Exit codes of the action status.
const (
	exitOn  = 0
	exitOff = 2
)

// killAfter is how long an agent has to end once it was told to.
const killAfter = time.Second

// answer is what an agent said and how it ended.
type answer struct {
	agent, action string
	code          int
	out           []byte // as it came
	said          string // by the agent, to be shown
}

func (a answer) failure() error {
	return fmt.Errorf("%s: %s: exit code %d%s", a.agent, a.action, a.code, a.said)
}

// ask runs the agent with an action, as Pacemaker does: what it needs to know comes from
// its standard input, the action last, for the last of several counts. It has a process
// group of its own: ^C of whoever runs strata is not for it, and it is ended as a whole.
func (a *Agent) ask(ctx context.Context, action string) (answer, error) {
	is := answer{agent: a.Fence.Agent(), action: action}
	fail := func(err error) (answer, error) { return is, fmt.Errorf("%s: %s: %w", is.agent, action, err) }
	input, secrets, err := a.input(action)
	if err != nil {
		return fail(err)
	}
	path, err := Find(a.Fence.Command[0])
	if err != nil {
		return fail(err)
	}
	out, errs := &output{}, &output{}
	cmd := exec.CommandContext(ctx, path, a.Fence.Command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = strings.NewReader(input), out, errs, environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 2 * killAfter
	group := func(sig syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, sig) }
	var kill *time.Timer
	cmd.Cancel = func() error {
		kill = time.AfterFunc(killAfter, func() { _ = group(syscall.SIGKILL) })
		return group(syscall.SIGTERM)
	}
	if err := cmd.Start(); err != nil {
		return fail(err)
	}
	err = cmd.Wait()
	_ = group(syscall.SIGKILL) // what it has started, and left
	if kill != nil {
		kill.Stop()
	}
	is.out, is.said = out.Bytes(), said(secrets, errs, out)
	is.code = cmd.ProcessState.ExitCode()
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimeout):
		return fail(fmt.Errorf("no answer within %v in all; it was ended%s", a.Fence.Timeout(), is.said))
	case ctx.Err() != nil:
		return fail(fmt.Errorf("interrupted%s", is.said))
	case is.code < 0 || !exited(err):
		return fail(fmt.Errorf("%w%s", err, is.said)) // by a signal
	}
	return is, nil
}

// exited reports whether a program has ended by itself, by what came of waiting for it:
// with whatever code, and also if something that it has left has its output open.
func exited(err error) bool {
	var exit *exec.ExitError
	return err == nil || errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay)
}

// input is what the agent reads, and the secrets in it.
func (a *Agent) input(action string) (text string, secrets []string, err error) {
	var b strings.Builder
	line := func(name, value string) error {
		if strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("the value of %s has more than one line", name)
		}
		fmt.Fprintf(&b, "%s=%s\n", name, value)
		return nil
	}
	if action == actionMetadata {
		return "action=metadata\n", nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(a.Fence.Options)) {
		if err := line(name, a.Fence.Options[name]); err != nil {
			return "", nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Fence.Secrets)) {
		value, err := a.secret(a.Fence.Secrets[name])
		if err == nil {
			err = line(name, value)
		}
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", name, err)
		}
		secrets = append(secrets, value)
	}
	return b.String() + "action=" + action + "\n", secrets, nil
}

func (a *Agent) secret(s schema.Secret) (string, error) {
	if a.Secret == nil {
		return "", errors.New("nobody reads secrets here")
	}
	return a.Secret(s)
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
