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
		delete(n.Keyed, op.Volume)
		w.gone(n, op.Cipher)
	case plan.KeyForget:
		delete(n.Keyed, op.Volume)
	default:
		return unknown(op)
	}
	return nil
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
