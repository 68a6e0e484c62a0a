package world

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// projectLayOut makes one bdev of parts. Its size follows from theirs, and has to be the
// one that is expected.
func (w *World) projectLayOut(n *state.Node, op plan.LayOut) error {
	r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online", Laid: &state.Laid{Striped: op.Striped, StripKiB: op.StripKiB, Size: op.Size}}
	if n.Raids[op.Raid] != nil {
		return fmt.Errorf("%s is there on %s", op.Raid, n.Name)
	}
	var sizes []int64
	for _, part := range op.Parts {
		leg := state.Leg{Base: part, UUID: n.Backing(part), Configured: true}
		if mirror := n.Raids[part]; mirror != nil && mirror.State == "online" {
			leg.UUID = mirror.UUID
		}
		if leg.UUID == "" {
			return fmt.Errorf("%s: part %s is not there on %s", op.Raid, part, n.Name)
		}
		if over := n.Over(part); over != nil {
			return fmt.Errorf("%s: part %s is one of %s on %s", op.Raid, part, over.Name, n.Name)
		}
		sizes = append(sizes, w.SizeOf(n.Name, part))
		r.Legs = append(r.Legs, leg)
	}
	if total := LaidSize(sizes, op.Striped, op.StripKiB); total != op.Size {
		return fmt.Errorf("%s would have %d bytes, and not %d", op.Raid, total, op.Size)
	}
	n.Raids[op.Raid] = r
	w.index(n).addRaid(r)
	if v, ok := w.cluster.ParseRaid(op.Raid); ok {
		w.Saw(v, n.Name)
	}
	return nil
}

// LaidSize is how large bdevs of these sizes are together; each has whole strips.
func LaidSize(sizes []int64, striped bool, stripKiB int) (total int64) {
	for _, size := range sizes {
		if striped {
			size = slices.Min(sizes)
		}
		total += size - size%(int64(stripKiB)<<10)
	}
	return total
}

// stretch has what strips go round follow the parts that grow; what follows one another
// does not.
func (w *World) stretch() {
	for name, n := range w.Nodes {
		for raid, r := range n.Raids {
			if r.Laid == nil || !r.Laid.Striped || r.State != "online" {
				continue
			}
			var sizes []int64
			for _, l := range r.Legs {
				sizes = append(sizes, w.SizeOf(name, l.Base))
			}
			if size := LaidSize(sizes, true, r.Laid.StripKiB); size != r.Laid.Size {
				grown := *r.Laid
				grown.Size = size
				w.edit(name).Raids[raid].Laid = &grown
			}
		}
	}
}

// broken is the name of a RAID that lays out parts, one of which was lost: it stays, and
// is no bdev any more.
func (w *World) broken(n *state.Node, name string) string {
	r := n.Raids[name]
	r.State, r.Laid = "offline", &state.Laid{Striped: r.Laid.Striped, StripKiB: r.Laid.StripKiB}
	delete(n.Limits, name)
	return name
}

// SizeOf is how many bytes a bdev of a node has, a RAID by name or an lvol by UUID; 0 when
// that is not known.
func (w *World) SizeOf(name lineage.Node, bdev string) (size int64) {
	n := w.Nodes[name]
	r := n.Raids[bdev]
	if r == nil {
		return w.sizeOfLeg(n, n.Backing(bdev))
	}
	if r.Laid != nil {
		return r.Laid.Size
	}
	for _, l := range r.Legs {
		if s := w.sizeOfLeg(n, l.UUID); l.Configured && s > 0 && (size == 0 || s < size) {
			size = s
		}
	}
	return size
}

func (w *World) sizeOfLeg(n *state.Node, u lineage.UUID) int64 {
	if l := n.LvolByUUID(u); l != nil {
		return l.Size
	}
	if r := n.Remotes[u]; r != nil {
		return r.Size
	}
	return 0
}
