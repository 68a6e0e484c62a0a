package recipe

import (
	"errors"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// keyCheck is that of every key of the model.
const keyCheck lineage.Check = "keyx"

// encrypt carries out an op on what encrypts a volume.
func (c *cluster) encrypt(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	switch op := op.(type) {
	case plan.KeyCheck:
		m.SetKey(op.Volume, keyCheck)
	case plan.KeyExpect:
	case plan.CipherCreate:
		base := c.resolve(made, op.Base)
		if _, there := m.Ciphers[op.Cipher]; there || !c.bdev(m, base) || c.used(m, lineage.UUID(base)) {
			return fmt.Errorf("%s is there, or %s is not, or claimed", op.Cipher, base)
		}
		if op.Check != keyCheck {
			c.broken("%s is encrypted with a key of check %s", op.Volume, op.Check)
		}
		m.SetKey(op.Volume, op.Check)
		m.SetCipher(op.Cipher, state.Cipher{Base: base, Key: string(op.Volume.ID)})
	case plan.CipherDelete:
		if _, there := m.Ciphers[op.Cipher]; !there {
			return errors.New("no such cipher")
		}
		delete(m.Ciphers, op.Cipher)
		delete(m.Keyed, op.Volume)
		c.withoutBdev(m, op.Cipher)
	case plan.KeyForget:
		for _, is := range m.Ciphers {
			if is.Key == string(op.Volume.ID) {
				c.broken("the key of %s is destroyed on %s while it is in use", op.Volume, m.Name)
			}
		}
		delete(m.Keyed, op.Volume)
	default:
		return unmodelled(op)
	}
	return nil
}

// nextCheck is that of every key that volumes of the model get later.
const nextCheck lineage.Check = "keyy"

// rekey carries out an op by which replicas get another key. What is in a lvol is told in
// clear: a leg that is not seen through the cipher of its own key would differ.
func (c *cluster) rekey(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	switch op := op.(type) {
	case plan.KeyedCreate:
		name := op.Keyed(nextCheck)
		if m.Lvstores[op.Lvstore] == nil || m.Lvols[op.Lvstore+"/"+string(name)] != nil {
			return errors.New("no such lvstore, or lvol exists")
		}
		u := c.newUUID()
		made[plan.Token(op.Node, op.Lvstore, op.Name)] = u
		m.AddLvol(&state.Lvol{Lvstore: op.Lvstore, Name: name, UUID: u, Size: op.Size})
		c.blobs[u] = &blob{}
	case plan.MirrorApart:
		if m.Raids[op.Raid] != nil {
			return errors.New("RAID exists")
		}
		r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online"}
		for i, leg := range op.Legs {
			u, base := lineage.UUID(c.resolve(made, string(leg))), c.resolve(made, op.Bases[i])
			if !c.reachable(m, u) || m.Backing(m.Deciphered(base)) != u {
				return fmt.Errorf("leg %s is not there", u)
			}
			r.Legs = append(r.Legs, state.Leg{Base: base, UUID: u, Configured: true})
			if first := r.Legs[0].UUID; c.view(u) != c.view(first) {
				c.broken("%s is made of legs that differ", op.Raid)
			}
		}
		r.Legs = append(r.Legs, state.Leg{})
		m.Raids[op.Raid] = r
	case plan.LegFill:
		u := lineage.UUID(c.resolve(made, string(op.Leg)))
		r := m.Raids[op.Raid]
		if r == nil || !c.reachable(m, u) {
			return errors.New("no such RAID or leg")
		}
		for i := range blocks {
			c.blobs[u].own[i] = c.block(r.Legs[0].UUID, i)
		}
		if !r.Has(u) {
			r.GrowBy(state.Leg{Base: c.resolve(made, op.Base), UUID: u, Configured: true})
		}
	default:
		return unmodelled(op)
	}
	return nil
}
