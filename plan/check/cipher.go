package check

import (
	"errors"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// encrypts refuses to give a target a key that others may hear, or of a volume that is not
// configured to be encrypted; to encrypt anything but the volume as its heads say; and to
// take a key, or a cipher, from what uses it.
func (c *Checker) encrypts(op plan.Op) error {
	n := c.w.Nodes[op.On()]
	switch op := op.(type) {
	case plan.KeyCheck:
		for _, h := range c.w.Incarnation(op.Volume).Heads {
			if h.Name.Check != lineage.Unkeyed {
				return fmt.Errorf("%s has a key already, or none", h.Name.Lvol())
			}
		}
		return c.mayHaveKey(op.Node, op.Volume)
	case plan.KeyExpect:
		return nil
	case plan.CipherCreate:
		if err := c.mayHaveKey(op.Node, op.Volume); err != nil {
			return err
		}
		if _, leg := c.cfg.Cluster.ParseLegCipher(op.Cipher); leg {
			return c.legCipher(op)
		}
		return c.cipher(op)
	case plan.CipherDelete:
		if v, _ := c.cfg.Cluster.ParseCipher(op.Cipher); v != op.Volume {
			return fmt.Errorf("%s is not the cipher of %s", op.Cipher, op.Volume)
		}
		if err := unmirrored(n, op.Cipher); err != nil {
			return err
		}
		return notShown(op, op.Cipher, c.w.Shows(op.Node, op.Cipher))
	case plan.KeyForget:
		for cipher := range n.Ciphers {
			if v, _ := c.cfg.Cluster.ParseCipher(cipher); v == op.Volume {
				return fmt.Errorf("%s on %s is encrypted with that key", op.Volume, op.Node)
			}
		}
		return nil
	}
	return unknown(op)
}

// mayHaveKey refuses to give a target the key of a volume.
func (c *Checker) mayHaveKey(n lineage.Node, id lineage.Volume) error {
	switch v := c.cfg.Volume(id.Name); {
	case v == nil || v.Encryption == nil:
		return fmt.Errorf("no key of %s is configured", id.Name)
	case !c.cfg.Node(n).Private():
		return fmt.Errorf("the key of %s would be sent to %s, and that can be overheard", id.Name, n)
	}
	return nil
}

// cipher refuses to encrypt what is not all of the volume, and with a key that its heads
// do not name.
func (c *Checker) cipher(op plan.CipherCreate) error {
	if mirror := c.w.Nodes[op.Node].Raids[op.Base] != nil; op.Cipher != c.cfg.Cluster.Cipher(op.Volume, mirror) {
		return fmt.Errorf("%s is not the cipher of %s", op.Cipher, op.Volume)
	}
	if op.Check == lineage.Unkeyed || op.Check == "" {
		return errors.New("nothing says which key it is")
	}
	if n := c.w.Nodes[op.Node]; n.Beneath(n.Raids[op.Base]) {
		return fmt.Errorf("%s has its legs through ciphers already", op.Base)
	}
	if shown := c.w.Shows(op.Node, op.Base); len(shown) > 0 {
		return fmt.Errorf("%s shows %s as it is", shown[0], op.Base)
	}
	legs := c.legsUnder(op.Node, op.Base)
	if len(legs) == 0 {
		return fmt.Errorf("%s on %s is no replica of %s, nor a mirror of any", op.Base, op.Node, op.Volume)
	}
	if r := c.w.Nodes[op.Node].Raids[op.Base]; r != nil && op.Base != c.cfg.Cluster.Raid(op.Volume) {
		return fmt.Errorf("%s is not the mirror of %s", op.Base, op.Volume)
	}
	for _, u := range legs {
		switch h, isHead := c.lvol(u).(lineage.Head); {
		case !isHead: // on a node that cannot be read
		case h.Volume != op.Volume:
			return fmt.Errorf("%s is not of %s", h.Lvol(), op.Volume)
		case h.Check != op.Check:
			return fmt.Errorf("%s names another key than that of check %s", h.Lvol(), op.Check)
		}
	}
	return nil
}

// decrypted refuses to show hosts what they could not read: an encrypted volume but through
// its cipher.
func (c *Checker) decrypted(n lineage.Node, nqn lineage.NQN, bdev string) error {
	at := c.w.Nodes[n]
	if _, link := c.cfg.Cluster.ParseLink(nqn); link {
		return nil
	}
	if v, leg := c.cfg.Cluster.ParseLegCipher(bdev); leg {
		return fmt.Errorf("%s is of one replica of %s", bdev, v)
	}
	if v, cipher := c.cfg.Cluster.ParseCipher(bdev); cipher {
		if _, there := at.Ciphers[bdev]; !there {
			return fmt.Errorf("%s is not there, through which %s is encrypted", bdev, v)
		}
		return nil
	}
	for _, u := range c.legsUnder(n, bdev) {
		if h, isHead := c.lvol(u).(lineage.Head); isHead && h.Check != "" && !through(at, at.Raids[bdev], u) {
			return fmt.Errorf("%s is encrypted, and hosts would be shown %s as it is", h.Volume, bdev)
		}
	}
	return nil
}

// through reports whether a mirror has a leg through a cipher.
func through(n *state.Node, r *state.Raid, leg lineage.UUID) bool {
	return r != nil && slices.ContainsFunc(r.Legs, func(l state.Leg) bool {
		_, cipher := n.Ciphers[l.Base]
		return cipher && l.UUID == leg
	})
}

// unencrypted refuses to delete what a cipher stands on.
func unencrypted(n *state.Node, bdev string, u lineage.UUID) error {
	for name, is := range n.Ciphers {
		if is.Base == bdev || u != "" && n.Backing(is.Base) == u {
			return fmt.Errorf("%s on %s encrypts what is written to %s", name, n.Name, bdev)
		}
	}
	return nil
}
