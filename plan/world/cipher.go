package world

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// projectCipher applies the effect of an op on what encrypts a volume.
func (w *World) projectCipher(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.KeyCheck:
		n.SetKey(op.Volume, lineage.PendingCheck)
		w.Saw(op.Volume, n.Name)
	case plan.KeyExpect: // nothing changes
	case plan.CipherCreate:
		if _, there := n.Ciphers[op.Cipher]; there {
			return fmt.Errorf("%s is there on %s", op.Cipher, n.Name)
		}
		if r := n.Raids[op.Base]; n.Backing(op.Base) == "" && (r == nil || r.State != "online") {
			return fmt.Errorf("%s: %s is not there on %s", op.Cipher, op.Base, n.Name)
		}
		n.SetCipher(op.Cipher, state.Cipher{Base: op.Base, Key: op.Cipher})
		n.SetKey(op.Volume, op.Check)
		w.Saw(op.Volume, n.Name)
	case plan.CipherDelete:
		delete(n.Ciphers, op.Cipher)
		delete(n.Limits, op.Cipher)
		if !w.enciphers(n, op.Volume) {
			delete(n.Keyed, op.Volume)
		}
		w.gone(n, op.Cipher)
	case plan.KeyForget:
		delete(n.Keyed, op.Volume)
	default:
		return unknown(op)
	}
	return nil
}

// enciphers reports whether a node still has a cipher of a volume.
func (w *World) enciphers(n *state.Node, v lineage.Volume) bool {
	for name := range n.Ciphers {
		if of, ok := w.cluster.ParseCipher(name); ok && of == v {
			return true
		}
	}
	return false
}

// projectRekey applies the effect of an op by which replicas get another key.
func (w *World) projectRekey(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.KeyedCreate:
		if n.Lvols[op.Lvstore+"/"+string(op.Name)] != nil {
			return fmt.Errorf("%s/%s exists on %s", op.Lvstore, op.Name, n.Name)
		}
		w.addLvol(n, &state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: plan.Token(op.Node, op.Lvstore, op.Name), Size: op.Size})
		w.Saw(op.Volume(), op.Node)
	case plan.MirrorApart:
		r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online"}
		for i, leg := range op.Legs {
			if n.Backing(n.Deciphered(op.Bases[i])) != leg {
				return fmt.Errorf("%s: %s is not there on %s, or not through %s", op.Raid, leg, n.Name, op.Bases[i])
			}
			r.Legs = append(r.Legs, state.Leg{Base: op.Bases[i], UUID: leg, Configured: true})
		}
		r.Legs = append(r.Legs, state.Leg{})
		w.putRaid(n, r)
	case plan.LegFill:
		r := n.Raids[op.Raid]
		if r == nil || r.State != "online" || n.Backing(n.Deciphered(op.Base)) != op.Leg {
			return fmt.Errorf("%s on %s cannot get %s: one of them is not there", op.Raid, n.Name, op.Leg)
		}
		if r.Rebuilding = ""; !r.Has(op.Leg) {
			r.GrowBy(state.Leg{Base: op.Base, UUID: op.Leg, Configured: true})
		}
		w.index(n).addRaid(r)
		w.filled(op.Leg)
	default:
		return unknown(op)
	}
	return nil
}

// filled has an lvol have all its clusters.
func (w *World) filled(u lineage.UUID) {
	owner := w.Owner(u)
	if owner == "" {
		return
	}
	n := w.edit(owner)
	l := n.LvolByUUID(u)
	if lvs := n.Lvstores[l.Lvstore]; lvs != nil && lvs.ClusterSize > 0 {
		w.change(n, func() { l.Allocated = l.Size / lvs.ClusterSize }, l)
	}
}

// over are the ciphers that encrypt what is written to a bdev of a node.
func over(n *state.Node, bdev string) (names []string) {
	for name, c := range n.Ciphers {
		if c.Base == bdev || n.Backing(bdev) != "" && n.Backing(c.Base) == n.Backing(bdev) {
			names = append(names, name)
		}
	}
	return names
}
