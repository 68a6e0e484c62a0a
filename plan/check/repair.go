package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// renotes refuses to make anything else of what says when layers were compared, or such of
// anything else; to say of a replica that what is damaged there is gone while it is not; and
// to forget damage before the replica is another.
func (c *Checker) renotes(op plan.LvolRename) error {
	from, was := lineage.ParseScrubbed(op.From)
	to, will := lineage.ParseScrubbed(op.To)
	at := lineage.Place{Node: op.Node, Lvstore: op.Lvstore}
	switch {
	case was != will:
		return fmt.Errorf("%s and %s are not of one kind", op.From, op.To)
	case !was, from.Damaged == to.Damaged && from.Anew == to.Anew:
		return nil
	case to.Damaged != 0 && !to.Anew && (from.Damaged == 0 || to.Damaged <= from.Damaged):
		return nil // it is damaged, or more of it is
	case to.Anew && !from.Anew && to.Damaged == from.Damaged:
		return c.dropped(from, at)
	case to.Damaged == 0 && from.Anew:
		return c.well(from, at)
	}
	return fmt.Errorf("the copy on %s is damaged by what %s says, and %s does not", op.Node, op.From, op.To)
}

// dropped refuses to say that what was damaged in a place is gone as long as it is there.
func (c *Checker) dropped(s lineage.Scrubbed, at lineage.Place) error {
	for _, l := range c.w.Nodes[at.Node].Lvols {
		if of, is := l.Parsed.(lineage.Layer); is && l.Lvstore == at.Lvstore && of.Volume == s.Volume && of.Epoch >= s.Damaged {
			return fmt.Errorf("%s on %s is damaged, or may be, and still there", l.Name, at.Node)
		}
	}
	if c.replicas(s.Volume)[at] {
		return fmt.Errorf("the replica of %s in %s on %s is current, and has what was damaged", s.Volume, at.Lvstore, at.Node)
	}
	return nil
}

// well refuses to forget that a replica was damaged before it is another: it is current, stands on
// a copy of what was damaged, or of what is younger, and nothing else is left there.
func (c *Checker) well(s lineage.Scrubbed, at lineage.Place) error {
	if !c.replicas(s.Volume)[at] {
		return fmt.Errorf("the replica of %s in %s on %s is not current again", s.Volume, at.Lvstore, at.Node)
	}
	for _, h := range c.w.Incarnation(s.Volume).Heads {
		if h.Place() != at {
			continue
		}
		since := slices.ContainsFunc(c.w.Nodes[at.Node].Below(h.Lvol), func(b *state.Lvol) bool {
			of, is := b.Parsed.(lineage.Layer)
			return is && of.Volume == s.Volume && of.Epoch >= s.Damaged
		})
		if !since {
			return fmt.Errorf("%s on %s is the head that was there when it was damaged", h.Lvol.Name, at.Node)
		}
	}
	return nil
}

// spares refuses to delete a layer of a replica that is known to be damaged and is not in use,
// before it is sure that another has it: one that is current, was read, and is not damaged; or
// there are as many current ones as configured.
func (c *Checker) spares(s *plan.Section, op plan.Op) error {
	del, ok := op.(plan.LvolDelete)
	if said, is := lineage.ParseScrubbed(del.Name); ok && is && said.Damaged != 0 {
		return c.dropped(said, lineage.Place{Node: del.Node, Lvstore: del.Lvstore})
	}
	of, layer := lineage.ParseLayer(del.Name)
	at := lineage.Place{Node: del.Node, Lvstore: del.Lvstore}
	if !ok || !layer || c.cfg.Volume(of.Volume.Name) == nil || s.Name != of.Volume.Name {
		return nil
	}
	inc := c.w.Incarnation(of.Volume)
	hurt := inc.ScrubbedAt(at).Hurt()
	current := c.replicas(of.Volume)
	if hurt == 0 || of.Epoch < hurt || current[at] {
		return nil
	}
	has, on := false, map[lineage.Node]bool{}
	for p := range current {
		on[p.Node] = true
		if c.w.Nodes[p.Node].Lvols[p.Lvstore+"/"+string(del.Name)] == nil {
			continue
		}
		if has = true; inc.ScrubbedAt(p).Hurt() == 0 {
			return nil
		}
	}
	if !has && len(current) > 0 || len(on) >= c.cfg.Volume(of.Volume.Name).Replicas.Count {
		return nil // it was removed; or the replica is too many
	}
	return fmt.Errorf("%s on %s is damaged, and no current replica is known to have it whole", del.Name, del.Node)
}
