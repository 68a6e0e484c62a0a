package fence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/program"
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
	input, secrets, err := a.input(ctx, action)
	if err != nil {
		return fail(err)
	}
	out, err := program.Call{Command: a.Fence.Command, Input: input, Secrets: secrets}.Run(ctx)
	is.out, is.said, is.code = out.Out, out.Said, out.Code
	switch {
	case errors.Is(err, program.ErrTimeout):
		return fail(fmt.Errorf("no answer within %v in all; it was ended%s", a.Fence.Timeout(), is.said))
	case err != nil:
		return fail(err)
	}
	return is, nil
}

// input is what the agent reads, and the secrets in it.
func (a *Agent) input(ctx context.Context, action string) (text string, secrets []string, err error) {
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
		value, err := a.secret(ctx, a.Fence.Secrets[name])
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

func (a *Agent) secret(ctx context.Context, s schema.Secret) (string, error) {
	if a.Secret == nil {
		return "", errors.New("nobody reads secrets here")
	}
	return a.Secret(ctx, s)
}
