package recipe

import (
	"cmp"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Hosts may have to prove that they have a key (DH-HMAC-CHAP), and have the target prove that
// it has one. The keys are in files of the nodes; a target has each by a name, after its path, so that
// another path is another key. Ladder, on each node that hosts connect to:
//
//	named    the target has the keys, by name; of an engine that moves, the next one has
//	         before hosts are held
//	keyed    the host is let in with these, or, if it was let in before, has to use them
//	         from then on; its connections stay
//	heard    the subsystem listens
//	dropped  names that no host needs go
//
// A crash before the host is keyed leaves names that nobody uses. Targets read the files when
// hosts authenticate: a key whose content is replaced counts from then on, and nothing is planned.

// keyed lets the configured hosts in with the keys that they have to use, once the target has
// these. One whose key cannot be there is not let in; if it was, it stays as it is.
func (s *subject) keyed(why reason, n lineage.Node, sub *state.Subsystem) (ops []plan.Op) {
	var sends, names []plan.Op
	var anew []func()
	for _, h := range s.v.Export.Hosts {
		key, ctrl, psk := s.keyOn(n, h, lineage.RoleHost), s.keyOn(n, h, lineage.RoleTarget), s.keyOn(n, h, lineage.RolePSK)
		is, listed := lineage.HostKeys{Key: key.name, CtrlKey: ctrl.name, PSK: psk.name}, slices.Contains(sub.Hosts, h)
		if no := cmp.Or(key.why, ctrl.why, psk.why); no != "" {
			hint := cmp.Or(key.hint, ctrl.hint, psk.hint)
			if !listed {
				s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), hint, "%s is not let in on %s: its key cannot be there: %s", h, n, no)
			}
			if listed && sub.Keys[h].IsZero() {
				s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), hint, "%s needs no key on %s yet: it cannot be there: %s", h, n, no)
			}
			continue
		}
		if no := cmp.Or(key.unread, ctrl.unread, psk.unread); no != "" && s.b.opt.Keys != nil {
			s.b.note("volume "+s.v.Name, s.v.At("export"), "", "whether %s is to use another key by now is not known: %s", h, no)
		}
		if listed && sub.Keys[h].PSK != is.PSK && s.b.unattended() {
			s.goesOn(n, h)
			continue
		}
		sends, names = slices.Concat(sends, key.send, ctrl.send, psk.send), slices.Concat(names, key.add, ctrl.add, psk.add)
		switch {
		case listed && sub.Keys[h] == is:
		case listed && sub.Keys[h].PSK != is.PSK:
			anew = append(anew, func() { s.exchanged(n, sub.NQN, h, is) })
		case listed:
			ops = append(ops, plan.HostKeysSet{At: plan.At{Node: n}, NQN: sub.NQN, Host: h, Keys: is.Proofs()})
		default:
			ops = append(ops, plan.HostAllow{At: plan.At{Node: n}, NQN: sub.NQN, Host: h, Keys: is})
		}
	}
	s.sec.then(why, plan.RiskCreate, once(sends)...)
	s.sec.then(why, plan.RiskCreate, once(names)...)
	for _, exchange := range anew {
		exchange()
	}
	return ops
}

// readyKeys has a node that is to show the volume to hosts from here on told of their keys
// before they have to wait: it might not have the files.
func (s *subject) readyKeys(n lineage.Node) {
	if s.v.Part != nil || s.v.Export.Kind != schema.ExportNVMf {
		return
	}
	var sends, names []plan.Op
	for _, h := range s.v.Export.Hosts {
		for _, role := range lineage.KeyRoles {
			k := s.keyOn(n, h, role)
			sends, names = append(sends, k.send...), append(names, k.add...)
		}
	}
	why := because(s.v.At("export"), "hosts of %s have to authenticate on %s from here on", s.v.Name, n)
	s.sec.then(why, plan.RiskCreate, once(sends)...)
	s.sec.then(why, plan.RiskCreate, once(names)...)
}

// strayKeys takes the names of keys away whose volume is not configured any more, or has no hosts
// over NVMe, and which no host needed when the pass began, and files that strata has put there.
func (b *builder) strayKeys() {
	if !b.may("", schema.DutyChange) {
		return
	}
	for n, at := range b.readNodes() {
		if len(at.Keyring)+len(at.KeyFiles) == 0 || b.left(plan.NodeKey(n.Name)) {
			continue
		}
		stray := func(volume string) bool {
			v := b.cfg.Shown(volume)
			return v == nil || v.Export.Kind != schema.ExportNVMf
		}
		ops := removals(at, func(name string) bool {
			volume, ours := b.cfg.Cluster.ParseKey(name)
			return ours && stray(volume)
		})
		why := because(n.Pos, "its volume has no hosts any more")
		if len(ops) > 0 {
			b.section(plan.NodeKey(n.Name)).then(why, plan.RiskCreate, ops...)
		}
		ops = erasures(b.w.Nodes[n.Name], func(name string) bool {
			of, sent := b.cfg.Cluster.ParseSentKey(name)
			return sent && stray(of.Volume)
		})
		if len(ops) > 0 {
			b.section(plan.NodeKey(n.Name)).then(why, plan.RiskCreate, ops...)
		}
	}
}

// neededKeys are the names of those that a node asks hosts for.
func neededKeys(at *state.Node) map[string]bool {
	needed := map[string]bool{}
	for _, sub := range at.Subsystems {
		for _, k := range sub.Keys {
			for _, role := range lineage.KeyRoles {
				needed[k.Of(role)] = true
			}
		}
	}
	return needed
}

// removals take those of a node's keys from its target that no host needs there.
func removals(at *state.Node, which func(name string) bool) (ops []plan.Op) {
	needed := neededKeys(at)
	for _, name := range slices.Sorted(maps.Keys(at.Keyring)) {
		if !needed[name] && which(name) {
			ops = append(ops, plan.KeyRemove{At: plan.At{Node: at.Name}, Name: name, Path: at.Keyring[name]})
		}
	}
	return ops
}

// dropKeys takes the names of keys away that no host of the volume needs any more, and then the
// files that strata has put there.
func (s *subject) dropKeys(n lineage.Node) {
	at, why := s.b.w.Nodes[n], because(s.v.At("export"), "no host of %s needs it", s.v.Name)
	s.sec.then(why, plan.RiskCreate, removals(at, func(name string) bool { return s.b.cfg.Cluster.KeyOf(s.v.Name, name) })...)
	s.eraseKeys(n, why)
}
