package recipe

import (
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

// keysOf are what the keys of a host are called on targets.
func (s *subject) keysOf(h lineage.NQN) (k lineage.HostKeys) {
	at := s.v.Export.Keys[h]
	if at.Key != "" {
		k.Key = s.b.cfg.Cluster.Key(s.v.Name, at.Key)
	}
	if at.CtrlKey != "" {
		k.CtrlKey = s.b.cfg.Cluster.Key(s.v.Name, at.CtrlKey)
	}
	return k
}

// keyed lets the configured hosts in with the keys that they have to use, once the target has
// these.
func (s *subject) keyed(why reason, n lineage.Node, sub *state.Subsystem) (ops []plan.Op) {
	var names []plan.Op
	for _, h := range s.v.Export.Hosts {
		is, at, listed := s.keysOf(h), s.v.Export.Keys[h], slices.Contains(sub.Hosts, h)
		if listed && sub.Keys[h] == is {
			continue
		}
		names = append(names, s.addKey(n, is.Key, at.Key)...)
		names = append(names, s.addKey(n, is.CtrlKey, at.CtrlKey)...)
		if listed {
			ops = append(ops, plan.HostKeysSet{At: plan.At{Node: n}, NQN: sub.NQN, Host: h, Keys: is})
		} else {
			ops = append(ops, plan.HostAllow{At: plan.At{Node: n}, NQN: sub.NQN, Host: h, Keys: is})
		}
	}
	s.sec.then(why, plan.RiskCreate, once(names)...)
	return ops
}

// readyKeys has a node that is to show the volume to hosts from here on told of their keys
// before they have to wait: it might not have the files.
func (s *subject) readyKeys(n lineage.Node) {
	if s.v.Part != nil || s.v.Export.Kind != schema.ExportNVMf {
		return
	}
	var ops []plan.Op
	for _, h := range s.v.Export.Hosts {
		is, at := s.keysOf(h), s.v.Export.Keys[h]
		ops = append(ops, s.addKey(n, is.Key, at.Key)...)
		ops = append(ops, s.addKey(n, is.CtrlKey, at.CtrlKey)...)
	}
	s.sec.then(because(s.v.At("export"), "hosts of %s have to authenticate on %s from here on", s.v.Name, n), plan.RiskCreate, once(ops)...)
}

func (s *subject) addKey(n lineage.Node, name, path string) []plan.Op {
	if name == "" || s.b.w.Nodes[n].Keyring[name] == path {
		return nil
	}
	return []plan.Op{plan.KeyAdd{At: plan.At{Node: n}, Name: name, Path: path}}
}

// strayKeys takes the names of keys away whose volume is not configured any more, or has no hosts
// over NVMe, and which no host needed when the pass began.
func (b *builder) strayKeys() {
	if !b.may("", schema.DutyChange) {
		return
	}
	for n, at := range b.readNodes() {
		if len(at.Keyring) == 0 || b.left(plan.NodeKey(n.Name)) {
			continue
		}
		needed := neededKeys(at)
		var ops []plan.Op
		for _, name := range slices.Sorted(maps.Keys(at.Keyring)) {
			volume, ours := b.cfg.Cluster.ParseKey(name)
			if v := b.cfg.Shown(volume); ours && !needed[name] && (v == nil || v.Export.Kind != schema.ExportNVMf) {
				ops = append(ops, plan.KeyRemove{At: plan.At{Node: n.Name}, Name: name, Path: at.Keyring[name]})
			}
		}
		if len(ops) > 0 {
			b.section(plan.NodeKey(n.Name)).then(because(n.Pos, "its volume has no hosts any more"), plan.RiskCreate, ops...)
		}
	}
}

// neededKeys are the names of those that a node asks hosts for.
func neededKeys(at *state.Node) map[string]bool {
	needed := map[string]bool{}
	for _, sub := range at.Subsystems {
		for _, k := range sub.Keys {
			needed[k.Key], needed[k.CtrlKey] = true, true
		}
	}
	return needed
}

// dropKeys takes the names of keys away that no host of the volume needs any more.
func (s *subject) dropKeys(n lineage.Node) {
	at := s.b.w.Nodes[n]
	if len(at.Keyring) == 0 {
		return
	}
	needed := neededKeys(at)
	var ops []plan.Op
	for _, name := range slices.Sorted(maps.Keys(at.Keyring)) {
		if s.b.cfg.Cluster.KeyOf(s.v.Name, name) && !needed[name] {
			ops = append(ops, plan.KeyRemove{At: plan.At{Node: n}, Name: name, Path: at.Keyring[name]})
		}
	}
	s.sec.then(because(s.v.At("export"), "no host of %s needs it", s.v.Name), plan.RiskCreate, ops...)
}
