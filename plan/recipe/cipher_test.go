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
