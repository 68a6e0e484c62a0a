package check

import (
	"errors"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// rekeys refuses to write a replica anew that is not stale, or whose volume is to keep its
// key; and a mirror that would have a leg otherwise than with the key that its name says.
func (c *Checker) rekeys(op plan.Op) error {
	switch op := op.(type) {
	case plan.KeyedCreate:
		h, is := lineage.ParseHead(op.Name)
		v := c.cfg.Volume(h.Volume.Name)
		switch {
		case v == nil || !v.Encrypted() || v.Encryption.Former == nil:
			return fmt.Errorf("no other key of %s is configured than it has", h.Volume.Name)
		case !is || h.Mark != lineage.Fenced || h.Check != lineage.PendingCheck:
			return fmt.Errorf("%s is no name of what is to be written with a key that is read then", op.Name)
		}
		return ours(c.cfg.Node(op.Node), op.Lvstore, op.Name)
	case plan.MirrorApart:
		if err := c.raid(op.Raid); err != nil {
			return err
		}
		if len(op.Bases) != len(op.Legs) || len(op.Legs) == 0 {
			return errors.New("it does not say through what it has its legs")
		}
		for i, leg := range op.Legs {
			if err := c.apart(op.Node, op.Raid, leg, op.Bases[i]); err != nil {
				return err
			}
		}
		return nil
	case plan.LegFill:
		return c.fills(op)
	}
	return unknown(op)
}

// apart refuses to have a leg in a mirror but through a cipher with the key that its head names,
// or as it is if that is not encrypted.
func (c *Checker) apart(n lineage.Node, raid string, leg lineage.UUID, base string) error {
	v, _ := c.cfg.Cluster.ParseRaid(raid)
	h, is := c.lvol(leg).(lineage.Head)
	at := c.w.Nodes[n]
	switch cipher, has := at.Ciphers[base]; {
	case !is || h.Volume != v:
		return fmt.Errorf("%s is no replica of %s", leg, v)
	case h.Check == lineage.Unkeyed:
		return fmt.Errorf("nothing says which key %s has", h.Lvol())
	case h.Check == "" && base != string(leg):
		return fmt.Errorf("%s is not encrypted, and would be written to through %s", h.Lvol(), base)
	case h.Check == "":
	case !has || at.Backing(cipher.Base) != leg:
		return fmt.Errorf("%s is encrypted, and %s is no cipher on it", h.Lvol(), base)
	case base != c.cfg.Cluster.LegCipher(v, leg):
		return fmt.Errorf("%s is not the cipher of %s with the key of check %s", base, h.Lvol(), h.Check)
	}
	return nil
}

// fills refuses to write over a replica that is not known to be stale, that anything stands on or
// that stands on anything, and to fill what has another size than the volume.
func (c *Checker) fills(op plan.LegFill) error {
	if err := c.apart(op.Node, op.Raid, op.Leg, op.Base); err != nil {
		return err
	}
	r := c.w.Nodes[op.Node].Raids[op.Raid]
	h, _ := c.lvol(op.Leg).(lineage.Head)
	l := c.w.Nodes[c.w.Owner(op.Leg)].LvolByUUID(op.Leg)
	switch {
	case r == nil || r.State != "online":
		return fmt.Errorf("%s is not online", op.Raid)
	case r.Has(op.Leg) && !slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.UUID == op.Leg && l.Base == r.Rebuilding }):
		return fmt.Errorf("%s has %s already", op.Raid, h.Lvol())
	case h.Mark != lineage.Fenced:
		return fmt.Errorf("%s is not known to be stale, and would be written over", h.Lvol())
	case l.Parent != "" || len(l.Children) > 0 || l.External != "":
		return fmt.Errorf("%s stands on another lvol, or one on it", h.Lvol())
	case !r.Has(op.Leg) && !slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return !l.Configured }):
		return fmt.Errorf("%s has no room for another leg", op.Raid)
	}
	for _, leg := range r.Legs {
		if size := c.sizeOf(leg.UUID); leg.Configured && size > 0 && size != l.Size {
			return fmt.Errorf("%s has %d bytes, and %s has legs of %d", h.Lvol(), l.Size, op.Raid, size)
		}
	}
	return nil
}

// oneKey refuses a mirror that has its legs as they are although they are not all written with
// one key: what one of them has would be taken for what another has.
func (c *Checker) oneKey(op plan.RaidCreate) error {
	var first lineage.Head
	for _, leg := range op.Legs {
		h, is := c.lvol(leg).(lineage.Head)
		switch {
		case !is:
		case first == lineage.Head{}:
			first = h
		case first.Check != h.Check && first.Check != lineage.Unkeyed && h.Check != lineage.Unkeyed:
			return fmt.Errorf("%s and %s are not written with one key", first.Lvol(), h.Lvol())
		}
	}
	return nil
}

// alike refuses a layer of a leg whose mirror has another that is not written with the same key:
// the copies of that layer would be taken for one another.
func (c *Checker) alike(op plan.LvolSnapshot) error {
	h, is := lineage.ParseHead(op.Lvol)
	l := c.w.Nodes[op.Node].Lvols[op.Lvstore+"/"+string(op.Lvol)]
	if !is || l == nil {
		return nil
	}
	for _, m := range c.w.Incarnation(h.Volume).Raids {
		for _, leg := range m.Raid.Legs {
			o, head := c.lvol(leg.UUID).(lineage.Head)
			if m.Raid.Has(l.UUID) && leg.Configured && head && o.Check != h.Check && o.Check != lineage.Unkeyed && h.Check != lineage.Unkeyed {
				return fmt.Errorf("%s and %s are not written with one key, and their copies of %s would differ", h.Lvol(), o.Lvol(), op.Layer)
			}
		}
	}
	return nil
}

// sameKey refuses to have a name say that a replica has another key than it was written with.
func (c *Checker) sameKey(op plan.LvolRename) error {
	from, is := lineage.ParseHead(op.From)
	to, head := lineage.ParseHead(op.To)
	if is && head && from.Check != to.Check && from.Check != lineage.Unkeyed {
		return fmt.Errorf("%s was not written with the key that %s names", op.From, op.To)
	}
	return nil
}

// legCipher refuses a cipher on a single leg, for a mirror that has its legs apart, but with the key
// that its head names; and on what is shown.
func (c *Checker) legCipher(op plan.CipherCreate) error {
	h, is := c.lvol(lineage.UUID(op.Base)).(lineage.Head)
	switch {
	case !is || h.Volume != op.Volume:
		return fmt.Errorf("%s is no replica of %s", op.Base, op.Volume)
	case h.Check != op.Check || op.Check == "" || op.Check == lineage.Unkeyed:
		return fmt.Errorf("%s names another key than that of check %s", h.Lvol(), op.Check)
	case op.Cipher != c.cfg.Cluster.LegCipher(op.Volume, lineage.UUID(op.Base)):
		return fmt.Errorf("%s is not the cipher of %s", op.Cipher, h.Lvol())
	}
	for _, r := range c.w.Nodes[op.Node].Raids {
		if r.Has(lineage.UUID(op.Base)) {
			return fmt.Errorf("%s has %s as it is", r.Name, h.Lvol())
		}
	}
	return nil
}

// unmirrored refuses to take a cipher from a mirror that has a leg through it.
func unmirrored(n *state.Node, cipher string) error {
	for _, r := range n.Raids {
		if slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.Configured && l.Base == cipher }) {
			return fmt.Errorf("%s on %s has a leg through it", r.Name, n.Name)
		}
	}
	return nil
}
