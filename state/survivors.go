package state

import (
	"fmt"
	"slices"

	"strata/lineage"
)

// Survivors are the replicas of a volume whose engine is gone, and what their nodes say of
// them: those that were in its mirror over links that wait, for whatever was acknowledged
// in their epoch each of them has that was shown to the engine ever since.
type Survivors struct {
	// Engine is the node that they were shown to; "" where none is shown to any, for all
	// their targets were started again, and no engine is left.
	Engine lineage.Node
	Name   lineage.Head // one of their names
	// Untold counts the legs of the epoch that nobody was served without since.
	Untold int
	// Behind counts those that an epoch that was being minted had not come to: they were told
	// of no later one either, if every replica was read.
	Behind int
	// Legs are those that were read, by node.
	Legs []Survivor
	// Bare is set when all legs of the epoch were read and are shown to the engine: it has
	// none of its own.
	Bare bool
}

// Survivor is one of them.
type Survivor struct {
	Head
	Link lineage.Link // that it is shown on; zero for none
	// Connected: the engine's node has a controller there, so it was written to a moment ago.
	Connected bool
	// Doubt says why it need not have all that was acknowledged; "" for a witness: it has.
	Doubt string
}

// Survivors finds what is left of a volume that no node that was read serves; false where
// names do not say that it was written to over links that wait, or an authority is named
// that may be started without any of this.
func (s *Snapshot) Survivors(c lineage.Cluster, inc *Incarnation) (Survivors, bool) {
	untold, name, ok := inc.Unserved(inc.Top())
	if !ok || !name.Wait || inc.Running() {
		return Survivors{}, false
	}
	out := Survivors{Name: name, Untold: untold, Behind: inc.behind(untold, name)}
	shown := 0
	for _, h := range inc.Heads {
		open := h.Name.Epoch == name.Epoch && h.Name.Mark != lineage.Fenced
		if !open && !(h.Name.Pledged && h.Name.Epoch > name.Epoch && (h.Name.Epoch-name.Epoch)%lineage.Forced == 0) {
			continue
		}
		if open && h.Name.Mark != lineage.Open {
			return Survivors{}, false
		}
		l := s.survivor(c, h)
		if l.Link.From != "" {
			if out.Engine != "" && out.Engine != l.Link.To {
				return Survivors{}, false
			}
			out.Engine = l.Link.To
			shown++
		}
		if !open && l.Doubt == "" {
			l.Doubt = "it was told of a failover that went no further"
		}
		out.Legs = append(out.Legs, l)
	}
	out.Bare = shown == name.Legs
	return out, out.Engine != "" || s.restarted(inc, &out)
}

// restarted takes the legs of an epoch as witnesses by their names where no link shows any,
// for all targets were started again, as after a power cut. It reports whether they may be:
// every node was read, so no engine is left that hosts could use. What names
// do not tell is that a disk failed just before: nobody counts that any more. Nor does that
// of an engine's own replica, which is believed after it as well.
func (s *Snapshot) restarted(inc *Incarnation, out *Survivors) bool {
	if !s.AllRead() {
		return false
	}
	if inc.contested(out.Name.Epoch, false) != nil || mintedTwice(inc, out.Name.Epoch) {
		return false
	}
	for i, l := range out.Legs {
		if !l.Name.Pledged && l.Lvol.Complete() {
			out.Legs[i].Doubt = ""
		}
	}
	return true
}

// AllRead reports whether every node could be read.
func (s *Snapshot) AllRead() bool {
	for _, n := range s.Nodes {
		if n.Unknown != "" {
			return false
		}
	}
	return true
}

// behind counts the legs that an epoch had not come to which was being minted: heads of the
// one before, of as many legs, where one was named and no other. So many that they might
// prove something without that one are none.
func (inc *Incarnation) behind(untold int, name lineage.Head) (n int) {
	for _, h := range inc.open(name.Epoch - 1) {
		if h.Name.Legs == name.Legs {
			n++
		}
	}
	if untold != 1 || n >= name.Untold() {
		return 0
	}
	return n
}

// Reached reports whether the engine's node is connected to all legs of the epoch, but for
// one that may be its own: who cannot read it may be all that it does not reach.
func (s *Survivors) Reached() bool {
	shown, connected := 0, 0
	for _, l := range s.Legs {
		if l.Link.From == "" {
			continue
		}
		if shown++; l.Connected {
			connected++
		}
	}
	return shown > 0 && connected == shown && shown >= s.Name.Legs-1
}

// survivor looks at the link that shows a head.
func (s *Snapshot) survivor(c lineage.Cluster, h Head) Survivor {
	out := Survivor{Head: h, Doubt: "its node shows it to no engine any more: its target was started again since, or it is the engine's own"}
	n := s.Nodes[h.Node]
	for nqn, sub := range n.Subsystems {
		link, ok := c.ParseLink(nqn)
		if !ok || !link.Wait || link.From != h.Node || !sub.Shows(string(h.Lvol.UUID)) {
			continue
		}
		out.Link, out.Doubt = link, ""
		out.Connected = sub.Evidence != nil && slices.Contains(sub.Evidence.Connected, c.HostNQN(link.To))
		switch e := sub.Evidence; {
		case !h.Lvol.Complete():
			out.Doubt = "it is not complete"
		case e == nil:
			out.Doubt = "its target does not tell whether I/O of it has failed"
		case slices.Contains(e.Failed, string(h.Lvol.UUID)):
			out.Doubt = "I/O of it has failed on its node, so the engine may have gone on without it"
		}
	}
	return out
}

// Shows reports whether a subsystem has a bdev as a namespace.
func (s *Subsystem) Shows(bdev string) bool {
	for _, ns := range s.Namespaces {
		if ns.Bdev == bdev {
			return true
		}
	}
	return false
}

// Admits reports whether a subsystem lets a host in.
func (s *Subsystem) Admits(host lineage.NQN) bool { return s.AnyHost || slices.Contains(s.Hosts, host) }

// ShutOut reports whether a node was fenced off a link from one that was read. One that is
// only half made does not listen yet.
func (s *Snapshot) ShutOut(c lineage.Cluster, l lineage.Link) bool {
	from := s.Nodes[l.From]
	if !l.Wait || from == nil || from.Unknown != "" {
		return false
	}
	sub := from.Subsystems[c.LinkNQN(l)]
	return sub != nil && len(sub.Listeners) > 0 && !sub.Admits(c.HostNQN(l.To))
}

// Barred reports whether a node cannot come by a link that waits from one that was read: it
// was fenced off it, or the link is not there, for its target was started again.
func (s *Snapshot) Barred(c lineage.Cluster, l lineage.Link) bool {
	from := s.Nodes[l.From]
	if !l.Wait || from == nil || from.Unknown != "" {
		return false
	}
	sub := from.Subsystems[c.LinkNQN(l)]
	return sub == nil || len(sub.Listeners) == 0 || !sub.Admits(c.HostNQN(l.To))
}

// Fenced says why a node is not fenced off a link from one that was read; "" when it is:
// it is not let in, and has no controller there.
func (s *Snapshot) Fenced(c lineage.Cluster, l lineage.Link) string {
	sub := s.Nodes[l.From].Subsystems[c.LinkNQN(l)]
	host := c.HostNQN(l.To)
	switch {
	case sub == nil:
		return ""
	case sub.Admits(host):
		return fmt.Sprintf("%s lets %s in", l.From, l.To)
	case sub.Evidence == nil:
		return fmt.Sprintf("%s does not tell who is connected to it", l.From)
	case slices.Contains(sub.Evidence.Connected, host):
		return fmt.Sprintf("%s is connected to %s still", l.To, l.From)
	}
	return ""
}

// MayServe names a node that could not be read and that a head is shown to: it may be
// served there. "" for none.
func (s *Snapshot) MayServe(c lineage.Cluster, h Head) lineage.Node {
	for nqn, sub := range s.Nodes[h.Node].Subsystems {
		link, ok := c.ParseLink(nqn)
		if !ok || link.From != h.Node {
			continue
		}
		if to := s.Nodes[link.To]; to != nil && to.Unknown == "" {
			continue
		}
		if sub.Shows(string(h.Lvol.UUID)) {
			return link.To
		}
	}
	return ""
}
