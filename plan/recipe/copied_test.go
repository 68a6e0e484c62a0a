package recipe

import (
	"reflect"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// copied is a disk that has taken the place of a machine's own, and holds what
// another had at some time. Nothing may come of it: its lvols are no replicas, for
// the originals exist. The model has them nowhere but in what strata reads.
type copied struct {
	path string
	shelf
	own  *shelf // what the machine's own disk holds; nil for nothing
	seen bool   // the machine was read since the copy came; apply goes on with no older plan
}

// cloneDisk puts a copy of what a disk holds in place of another machine's. Both
// machines are down.
func (c *cluster) cloneDisk(from *machine, path string, to *machine, as string) {
	s := from.shelf[path]
	lvs := *s.lvstore
	to.copy = &copied{path: as, shelf: shelf{lvstore: &lvs}, own: to.shelf[as]}
	for _, l := range s.lvols {
		l := *l
		l.Claimed = false
		to.copy.lvols = append(to.copy.lvols, &l)
	}
	delete(to.shelf, as)
	c.note("%s gets a copy of %s of %s in place of its disk", to.Name, path, from.Name)
}

// takeCopy puts the machine's own disk back. The machine is down.
func (c *cluster) takeCopy(m *machine) {
	if m.copy.own != nil {
		m.shelf[m.copy.path] = m.copy.own
	}
	m.copy = nil
	c.note("the copy in %s is taken away", m.Name)
}

// telling reports whether anything that can be read tells of the original of the
// machine's copy: the original, or what reminds of it where it is. Nobody could
// know otherwise, so the machine is out of sight then.
func (c *cluster) telling(m *machine) bool {
	u := m.copy.lvstore.UUID
	var at *machine
	for _, o := range c.machines {
		for _, s := range o.shelf {
			if s.lvstore.UUID == u {
				at = o
			}
		}
		for _, lvs := range o.Lvstores {
			if lvs.UUID == u && !o.down && !o.hidden {
				return true
			} else if lvs.UUID == u {
				at = o
			}
		}
	}
	for _, o := range c.machines {
		if o == m || o.down || o.hidden {
			continue
		}
		for _, l := range o.Lvols {
			if r, ok := lineage.ParseMember(l.Name); ok && at != nil && r.Is(u) && r.Node == at.Name {
				return true
			}
		}
	}
	return false
}

// read is what the machine's target says.
func (m *machine) read() *state.Node {
	n := m.Clone()
	if m.copy == nil {
		return n
	}
	m.copy.seen = true
	for _, d := range m.Disks {
		if d.Path != m.copy.path {
			continue
		}
		lvs := *m.copy.lvstore
		lvs.Base = d.Bdev
		n.Lvstores[lvs.Name] = &lvs
		for _, l := range m.copy.lvols {
			if m.Remotes[l.UUID] != nil {
				return state.Unread(m.Name, "its disk is a copy of a peer's")
			}
			l := *l
			n.AddLvol(&l)
		}
	}
	return n
}

// sparing notices an op that is meant for what is on a copy.
func (c *cluster) sparing(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) {
	if m.copy == nil || !m.copy.seen {
		return
	}
	v := reflect.ValueOf(op)
	_, attach := op.(plan.DiskAttach) // it says whose it may be, and finds out
	if f := v.FieldByName("Lvstore"); !attach && f.IsValid() && f.String() == m.copy.lvstore.Name {
		c.broken("%s on %s, which has a copy of another's disk", op.Words(), m.Name)
	}
	var uses []string
	switch op := op.(type) {
	case plan.NamespaceAdd:
		uses = append(uses, op.Bdev)
	case plan.UblkStart:
		uses = append(uses, op.Bdev)
	case plan.NBDStart:
		uses = append(uses, op.Bdev)
	case plan.RaidCreate:
		for _, u := range op.Legs {
			uses = append(uses, string(u))
		}
	case plan.LayOut:
		uses = append(uses, op.Parts...)
	case plan.RaidGrow:
		uses = append(uses, string(op.Leg))
	default: // uses no bdev, or one that it has made a clone or a copy of
	}
	for _, u := range uses {
		u = c.resolve(made, u)
		for _, l := range m.copy.lvols {
			if string(l.UUID) == u && m.Remotes[l.UUID] == nil {
				c.broken("%s on %s, where it is a copy", op.Words(), m.Name)
			}
		}
	}
}
