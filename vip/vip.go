// Package vip has the addresses of volumes moved to the node of their engine, by programs of
// the user's. It believes none of them that an address has moved but by what the program
// says when it is asked afterwards. Where an address is, is no evidence of anything else:
// hosts that were connected to a node go on being so (decision 35).
package vip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/lineage"
	"strata/program"
	"strata/schema"
)

// A Mover moves the address of a volume. Every one of its methods ends within the timeout
// that is configured, and leaves nothing of the program running.
type Mover struct {
	Volume string
	VIP    *schema.VIP
	Nodes  []lineage.Node // that may have it
}

// What the program is asked.
const (
	actionWhere = "where"
	actionMove  = "move"
)

// askAgain is how long after an answer to where the next one is asked for.
const askAgain = 200 * time.Millisecond

// Where are the nodes that have the address, as the program says; none, if nobody has it.
func (m *Mover) Where(ctx context.Context) ([]lineage.Node, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, m.VIP.Timeout(), program.ErrTimeout)
	defer cancel()
	return m.where(ctx, "")
}

// Move has the address moved to a node, unless that alone has it already, and waits until
// the program says that it has.
func (m *Mover) Move(ctx context.Context, to lineage.Node) error {
	ctx, cancel := context.WithTimeoutCause(ctx, m.VIP.Timeout(), program.ErrTimeout)
	defer cancel()
	at, err := m.where(ctx, to)
	if err != nil {
		return fmt.Errorf("%s was not moved: %w", m.VIP.Address, err)
	}
	if slices.Equal(at, []lineage.Node{to}) {
		return nil
	}
	is, err := m.ask(ctx, actionMove, at, to)
	if err != nil {
		return fmt.Errorf("%s is not known to have moved: %w", m.VIP.Address, err)
	}
	for asked := false; ; {
		now, err := m.where(ctx, to)
		if err == nil {
			at, asked = now, true
		}
		if err == nil && slices.Equal(at, []lineage.Node{to}) {
			return nil
		}
		if is.Code != 0 {
			return errors.Join(fmt.Errorf("%s has not moved, it is %s: %s: %s: exit code %d%s", m.VIP.Address, words(at), m.VIP.Program(), actionMove, is.Code, is.Said), err)
		}
		select {
		case <-time.After(askAgain):
			continue
		case <-ctx.Done():
			if !asked {
				return fmt.Errorf("%s is not known to have moved: %w", m.VIP.Address, err)
			}
			return fmt.Errorf("%s says that it has moved %s, and when asked that it is %s, still after %v", m.VIP.Program(), m.VIP.Address, words(at), m.VIP.Timeout())
		}
	}
}

func words(at []lineage.Node) string {
	if len(at) == 0 {
		return "nowhere"
	}
	var all []string
	for _, n := range at {
		all = append(all, string(n))
	}
	return "on " + strings.Join(all, " and ")
}

func (m *Mover) where(ctx context.Context, to lineage.Node) (at []lineage.Node, err error) {
	is, err := m.ask(ctx, actionWhere, nil, to)
	if err != nil {
		return nil, err
	}
	if is.Code != 0 {
		return nil, fmt.Errorf("%s: %s: exit code %d%s", m.VIP.Program(), actionWhere, is.Code, is.Said)
	}
	for _, word := range strings.Fields(string(is.Out)) {
		if !slices.Contains(m.Nodes, lineage.Node(word)) {
			return nil, fmt.Errorf("%s: %s: it prints %q, and is to print names of nodes", m.VIP.Program(), actionWhere, word)
		}
		at = append(at, lineage.Node(word))
	}
	slices.Sort(at)
	return slices.Compact(at), nil
}

// ask runs the program.
func (m *Mover) ask(ctx context.Context, action string, from []lineage.Node, to lineage.Node) (program.Answer, error) {
	var names []string
	for _, n := range from {
		if n != to {
			names = append(names, string(n))
		}
	}
	is, err := program.Call{Command: m.VIP.Command, Env: []string{
		"STRATA_ACTION=" + action, "STRATA_ADDRESS=" + m.VIP.Address, "STRATA_VOLUME=" + m.Volume,
		"STRATA_FROM=" + strings.Join(names, " "), "STRATA_TO=" + string(to),
	}}.Run(ctx)
	switch {
	case errors.Is(err, program.ErrTimeout):
		return is, fmt.Errorf("%s: %s: no answer within %v in all; it was ended%s", m.VIP.Program(), action, m.VIP.Timeout(), is.Said)
	case err != nil:
		return is, fmt.Errorf("%s: %s: %w", m.VIP.Program(), action, err)
	}
	return is, nil
}
