package sweep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/fence"
	"strata/schema"
)

// machine is one that a node runs on and a fence agent switches off.
type machine struct {
	// does is what comes of each time that the agent is told to, the last of all that
	// follow:
	//
	//	works   the machine is off, and it says so
	//	fails   it cannot, and says so
	//	lies    it says that it has, and is asked in vain whether the machine is off
	//	late    it fails, and yet the machine is off
	//	hangs   it says nothing
	//	cheats  it says that the machine is off, which is on: of that nothing is safe
	does []string
	off  bool
	// attended: somebody switches it on again when it is off.
	attended bool
}

const (
	// switching is how long an agent takes.
	switching = time.Second
	// noticed is how long a machine is off until somebody who looks switches it on.
	noticed = 20 * time.Second
)

// fence is apply.Options.Fence. What the agent of a strata that died was told goes on.
func (w *world) fence(ctx context.Context, n *schema.Node) (fence.Evidence, error) {
	w.mu.Lock()
	m := w.machines[string(n.Name)]
	if m == nil {
		m = &machine{does: []string{"works"}, attended: true}
		w.machines[string(n.Name)] = m
	}
	off, does := m.off, m.does[0]
	if !off && len(m.does) > 1 {
		m.does = m.does[1:]
	}
	w.mu.Unlock()
	said := fence.Evidence{Node: n.Name, Agent: n.Fence.Agent(), At: time.Now(), How: "in the sweep"}
	if off {
		return said, nil
	}
	w.logf("%s is to be switched off: the agent %s", n.Name, does)
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(switching)
		if does == "works" || does == "late" {
			w.switchOff(string(n.Name))
		}
	}()
	limited, cancel := context.WithTimeout(ctx, n.Fence.Timeout())
	defer cancel()
	if does == "lies" || does == "hangs" {
		<-limited.Done()
		return fence.Evidence{}, fmt.Errorf("it is not known to be off: the agent %s", does)
	}
	select {
	case <-ctx.Done():
		return fence.Evidence{}, ctx.Err()
	case <-done:
	}
	if does != "works" && does != "cheats" {
		return fence.Evidence{}, errors.New("the agent failed")
	}
	said.At = time.Now()
	return said, nil
}

// switchOff takes the power of a node's machine.
func (w *world) switchOff(node string) {
	w.mu.Lock()
	m := w.machines[node]
	m.off = true
	attended := m.attended
	w.mu.Unlock()
	w.logf("%s is off", node)
	w.c.Target(node).Stop()
	if attended {
		time.AfterFunc(noticed, func() { w.switchOn(node) })
	}
}

// switchOn has somebody look after a node's machine, who switches it on if it is off, from
// now on.
func (w *world) switchOn(node string) {
	w.mu.Lock()
	m := w.machines[node]
	off := m.off
	m.off, m.attended = false, true
	w.mu.Unlock()
	if off {
		w.logf("%s is on", node)
		w.wrong(w.c.Target(node).Restart())
	}
}

// boot starts a target that has ended, where there is power.
func (w *world) boot(node string) {
	w.mu.Lock()
	m := w.machines[node]
	off := m != nil && m.off
	w.mu.Unlock()
	if t := w.c.Target(node); !off && !t.Running() {
		w.wrong(t.Restart())
	}
}
