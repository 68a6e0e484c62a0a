package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A key of a host may be found where strata runs, which puts it on nodes by ssh. Its name there,
// of the file and in the target's keyring, says whose it is and has a check of it, so a plan is
// made without any key: what was found where strata runs is a check, too (plan.Options.Keys).
// Another key is another name. Ladder, before those of hostkeys.go:
//
//	sent     the file is there, whole, or not at all
//
// and after them:
//
//	erased   files go that no target has by name, and no host needs
//
// A crash leaves files that the next plan uses, or erases. Where the key cannot be read, hosts
// that are let in stay as they are, and what is on the node of theirs is used; a key that is
// nowhere there has to be read.

// keyOn is a key of a host on a node: what it is called there, and what has it be there.
type keyOn struct {
	name string // "" for none
	send []plan.Op
	add  []plan.Op
	why  string // it cannot be there
	hint string
	// unread is why nobody knows whether it is the one that is configured by now.
	unread string
}

// keyOn finds a key of a host on a node.
func (s *subject) keyOn(n lineage.Node, h lineage.NQN, role lineage.KeyRole) (k keyOn) {
	switch at := s.v.Export.Keys[h].Of(role); {
	case at.IsZero():
		return k
	case at.Sent():
		return s.sentOn(n, h, role)
	default:
		k = keyOn{name: s.b.cfg.Cluster.Key(s.v.Name, at.Path)}
		if s.b.w.Nodes[n].Keyring[k.name] != at.Path {
			k.add = []plan.Op{plan.KeyAdd{At: plan.At{Node: n}, Name: k.name, Path: at.Path}}
		}
		return k
	}
}

// sentOn is keyOn for a key that strata puts there.
func (s *subject) sentOn(n lineage.Node, h lineage.NQN, role lineage.KeyRole) (k keyOn) {
	at, conf := s.b.w.Nodes[n], s.b.cfg.Node(n)
	found := s.b.opt.Keys.Of(plan.KeyOf{Volume: s.v.Name, Host: h, Role: role})
	of := lineage.SentKey{Volume: s.v.Name, Whose: lineage.Whose(h, role), Check: found.Check}
	k.name, k.unread = s.b.cfg.Cluster.SentKey(of), found.Unread
	if k.unread != "" {
		k.name = s.keptKey(at, h, of)
	}
	switch {
	case k.name == "":
		k.why, k.hint = k.unread, hintUnread
		return k
	case at.Keyring[k.name] != "" && (at.KeyFiles[k.name] || at.KeyFilesUnread != "" || k.unread != ""):
		return k
	case conf == nil || conf.KeyDir() == "":
		k.why, k.hint = fmt.Sprintf("strata does not come to %s by ssh", n), fmt.Sprintf("reach %s by ssh://, or put the key into a file there and write its path", n)
		return k
	case at.KeyFilesUnread != "":
		k.why, k.hint = at.KeyFilesUnread, "strata runs a shell there, by ssh, to put it there"
		return k
	case !at.KeyFiles[k.name] && k.unread != "":
		k.why, k.hint = k.unread, hintUnread
		return k
	case !at.KeyFiles[k.name]:
		k.send = []plan.Op{plan.KeySend{At: plan.At{Node: n}, Volume: s.v.Name, Host: h, Role: role, Name: k.name, Check: of.Check}}
	}
	if at.Keyring[k.name] == "" {
		k.add = []plan.Op{plan.KeyAdd{At: plan.At{Node: n}, Name: k.name, Path: conf.KeyFile(k.name)}}
	}
	return k
}

const hintUnread = "plan and apply where it can be read, as whoever may read it"

// keptKey is the key of a host that is on a node already, of which nobody knows whether it is
// the one that is configured now: the one that the host has to use, or the only one.
func (s *subject) keptKey(at *state.Node, h lineage.NQN, of lineage.SentKey) string {
	c := s.b.cfg.Cluster
	is := func(name string) bool {
		k, sent := c.ParseSentKey(name)
		return sent && k.Volume == of.Volume && k.Whose == of.Whose
	}
	if sub := at.Subsystems[c.ExportNQN(s.id.Whole())]; sub != nil {
		for _, role := range lineage.KeyRoles {
			if name := sub.Keys[h].Of(role); is(name) {
				return name
			}
		}
	}
	var all []string
	for name := range at.KeyFiles {
		if is(name) {
			all = append(all, name)
		}
	}
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

// unsendable says why hosts could not be let in on a node that the engine is to move to; ""
// when they can.
func (s *subject) unsendable(n lineage.Node) string {
	if s.v.Export.Kind != schema.ExportNVMf || s.v.Part != nil {
		return ""
	}
	for _, of := range s.v.SentKeys() {
		if k := s.sentOn(n, of.Host, of.Role); k.why != "" {
			return fmt.Sprintf("the key of %s cannot be put on %s: %s", of.Host, n, k.why)
		}
	}
	return ""
}

// eraseKeys takes files away that nobody needs: no target has them by name, and no host of the
// volume is to use them. While a key cannot be read any may be one that is needed.
func (s *subject) eraseKeys(n lineage.Node, why reason) {
	at, wanted := s.b.w.Nodes[n], map[string]bool{}
	if len(at.KeyFiles) == 0 {
		return
	}
	for _, of := range s.v.SentKeys() {
		k := s.sentOn(n, of.Host, of.Role)
		if k.unread != "" {
			return
		}
		wanted[k.name] = true
	}
	s.sec.then(why, plan.RiskCreate, erasures(at, func(name string) bool { return s.sentFor(name) && !wanted[name] })...)
}

// erasures take those of a node's files away that its target does not have by name.
func erasures(at *state.Node, which func(name string) bool) (ops []plan.Op) {
	for _, name := range slices.Sorted(maps.Keys(at.KeyFiles)) {
		if at.Keyring[name] == "" && which(name) {
			ops = append(ops, plan.KeyErase{At: plan.At{Node: at.Name}, Name: name})
		}
	}
	return ops
}

// leaveKeys takes the keys of the volume's hosts away from nodes where its engine or a path was
// before, and is not to be: no subsystem there needs them.
func (s *subject) leaveKeys() {
	c := s.b.cfg.Cluster
	nqn, paths := c.ExportNQN(s.id.Whole()), s.standbys(s.engine)
	why := because(s.v.At("export"), "%s has no hosts there any more", s.v.Name)
	for n, at := range s.b.readNodes() {
		if n.Name == s.engine || slices.Contains(paths, n.Name) || at.Subsystems[nqn] != nil || !s.b.reachable(n.Name) {
			continue
		}
		s.sec.then(why, plan.RiskCreate, removals(at, s.sentFor)...)
		s.sec.then(why, plan.RiskCreate, erasures(s.b.w.Nodes[n.Name], s.sentFor)...)
	}
}

// sentFor reports whether a name is that of a key of the volume's hosts that strata puts on nodes.
func (s *subject) sentFor(name string) bool {
	of, sent := s.b.cfg.Cluster.ParseSentKey(name)
	return sent && of.Volume == s.v.Name
}
