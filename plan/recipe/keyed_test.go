package recipe

import (
	"errors"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// TestKeyedHistories makes histories in which the ends of links prove themselves to each other,
// or are to from some moment on, or by other keys; for who asks for patient ones, every third over
// links that wait.
func TestKeyedHistories(t *testing.T) {
	if *replay != 0 {
		newKeyedHistory(*replay).told(t, *replay, nil)
		return
	}
	many(t, *histories/2+*patient, newKeyedHistory)
}

func newKeyedHistory(seed int64) *history {
	h := &history{Rand: rand.New(rand.NewSource(seed)), word: map[lineage.Volume]lineage.Node{}, kinds: 14, patient: *patient > 0 && seed%3 == 0, keyed: true}
	if h.patient {
		h.kinds, h.alone = 12, h.Intn(5) > 0
	}
	h.cfg = h.config()
	for _, n := range h.cfg.Nodes {
		n.RPC = "ssh://root@" + string(n.Name) + "/x"
	}
	h.cfg.Links.Keys = h.Intn(2)
	h.c = newCluster(h.Rand, h.cfg, false)
	h.foreigners()
	return h
}

// keyEvent is what happens to keys of links: others are wanted, or none; files are gone, or
// nobody can see which there are.
func (h *history) keyEvent(m *machine) {
	switch h.Intn(4) {
	case 0, 1:
		cfg := *h.cfg
		cfg.Links.Keys = h.Intn(4)
		h.cfg = &cfg
		h.c.note("links are to have keys of number %d", cfg.Links.Keys)
	case 2:
		m.unlisted, h.c.disturbed = !m.unlisted, true
		h.c.note("which files of keys %s has can be seen: %v", m.Name, !m.unlisted)
	default:
		if names := slices.Sorted(maps.Keys(m.files)); len(names) > 0 {
			gone := names[h.Intn(len(names))]
			if m.Keyring[gone] != "" && !m.down {
				return // it is there as long as its target has it
			}
			delete(m.files, gone)
			m.RemoveKeyFile(gone)
			h.c.disturbed = true
			h.c.note("%s has lost file %s", m.Name, gone)
		}
	}
}

// proof is by what a controller proves itself: names of keys, and what they were.
type proof struct {
	names lineage.HostKeys
	pair  [2]int
	// over: it has failed to prove itself, and never gets through again.
	over bool
}

// proving is a controller of a node.
type proving struct {
	node       lineage.Node
	controller string
}

// linkKeysMake writes the files of a pair, those of the node that attaches first; between the
// two it may be interrupted.
func (c *cluster) linkKeysMake(op plan.LinkKeysMake) error {
	names := c.cfg.Cluster.LinkKeyNames(op.Keys)
	c.uuids += 2
	for i, end := range []lineage.Node{op.Keys.Link.To, op.Keys.Link.From} {
		m := c.machines[end]
		if m == nil {
			return errors.New("no such machine")
		}
		if m.down || m.hidden || i > 0 && c.events && c.rng.Intn(8) == 0 {
			c.disturbed = true
			return errUnreachable
		}
		for j, name := range []string{names.Key, names.CtrlKey} {
			if _, there := m.files[name]; there && i > 0 {
				c.broken("file %s of %s is written over", name, m.Name)
			}
			if m.files == nil {
				m.files = map[string]int{}
			}
			m.files[name] = c.uuids - j
			m.AddKeyFile(name)
		}
	}
	return nil
}

// withFiles lists what files the machine has, as somebody sees them who looks.
func (m *machine) withFiles(n *state.Node) *state.Node {
	if m.unlisted {
		n.KeyFiles, n.KeyFilesUnread = nil, "permission denied"
	}
	return n
}

// addKey gives a target a key by name: its file has to be there.
func (c *cluster) addKey(m *machine, op plan.KeyAdd) error {
	if m.Keyring[op.Name] != "" {
		return errors.New("key exists")
	}
	if _, link, ok := c.cfg.Cluster.ParseLinkKey(op.Name); ok {
		if _, there := m.files[fileOf(op.Path)]; !there {
			c.disturbed = c.disturbed || m.unlisted
			return errors.New("no such file")
		}
		if want := op.Name; link != lineage.LinkUsed && fileOf(op.Path) != want {
			return errors.New("that is another file")
		}
	}
	m.AddKey(op.Name, op.Path)
	return nil
}

func fileOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// removeKey takes a key from a target. What it goes on using it must have.
func (c *cluster) removeKey(m *machine, op plan.KeyRemove) error {
	if m.Keyring[op.Name] == "" {
		return errors.New("no such key")
	}
	for name := range m.Controllers {
		if p := c.proofs[proving{m.Name, name}]; p.names.Key == op.Name || p.names.CtrlKey == op.Name {
			c.broken("key %s goes from %s, and controller %s uses it", op.Name, m.Name, name)
		}
	}
	for _, sub := range m.Subsystems {
		for host, k := range sub.Keys {
			if k.Key == op.Name || k.CtrlKey == op.Name {
				c.broken("key %s goes from %s, and %s lets %s in by it", op.Name, m.Name, sub.NQN, host)
			}
		}
	}
	m.RemoveKey(op.Name)
	return nil
}

// pairOf is what the keys are that a target has by these names.
func (c *cluster) pairOf(m *machine, names lineage.HostKeys) (pair [2]int, err error) {
	for i, name := range []string{names.Key, names.CtrlKey} {
		if name == "" {
			continue
		}
		path := m.Keyring[name]
		if path == "" {
			return pair, errors.New("no such key")
		}
		pair[i] = m.files[fileOf(path)]
	}
	return pair, nil
}

// admits reports whether a link's subsystem lets the controller of its peer in, by what both
// prove. Where that fails with keys on both sides it does so for good.
func (c *cluster) admits(m *machine, ctrl *state.Controller, from *machine, sub *state.Subsystem) bool {
	at := proving{m.Name, ctrl.Name}
	p := c.proofs[at]
	asks := sub.Keys[c.cfg.Cluster.HostNQN(m.Name)]
	if p.over || asks.IsZero() != p.names.IsZero() {
		return false
	}
	want, err := c.pairOf(from, asks)
	if err != nil || want != p.pair {
		p.over = true
		c.proofs[at] = p
		c.note("  %s fails to prove itself to %s", m.Name, from.Name)
		return false
	}
	return true
}

// setKeys has a controller prove itself by other keys: at once, if it is connected.
func (c *cluster) setKeys(m *machine, op plan.ControllerKeysSet) error {
	ctrl := m.Controllers[op.Controller]
	if ctrl == nil || !op.Keys.IsZero() && ctrl.State != "enabled" {
		return errors.New("no such controller, or it is not connected")
	}
	pair, err := c.pairOf(m, op.Keys)
	if err != nil {
		return err
	}
	c.proofs[proving{m.Name, ctrl.Name}] = proof{names: op.Keys, pair: pair}
	link := c.link(ctrl)
	from := c.machines[link.From]
	if op.Keys.IsZero() || from == nil || ctrl.State != "enabled" {
		return nil
	}
	if sub := from.Subsystems[ctrl.NQN]; sub == nil || !c.admits(m, ctrl, from, sub) {
		return errors.New("it does not prove itself")
	}
	return nil
}
