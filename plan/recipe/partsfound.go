package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/state"
)

// find looks for what is written down: the ID of the whole, and its layout.
func (w *whole) find() {
	b := w.b
	ids := map[lineage.ID]bool{}
	for i, v := range w.parts {
		for _, id := range b.w.Incarnations(v.Name) {
			if len(b.w.Incarnation(id).Heads) == 0 {
				continue
			}
			ids[id.ID] = true
			if w.id.ID == "" || i == 0 {
				w.id = id.Whole()
			}
		}
	}
	one := len(ids) < 2 || w.oneID()
	for _, h := range b.w.Incarnation(lineage.Volume{Name: w.parts[0].Name, ID: w.id.ID}).Heads {
		if h.Name.Layout.Parts > w.is.Parts {
			w.is = h.Name.Layout
		}
	}
	was := lineage.Volume{Name: w.Name}
	for _, id := range b.w.Incarnations(w.Name) {
		if len(b.w.Incarnation(id).Heads) > 0 {
			was = id
		}
	}
	switch {
	case !one:
		w.odd, w.hint = "its parts are of different incarnations, and do not belong together", "release those that are not in use, part by part"
	case was.ID != "":
		w.odd, w.hint = fmt.Sprintf("it is there as %s, which is not laid out over parts", was), "take layout out, or give the new volume another name"
	case w.is == (lineage.Layout{}):
	case w.is.StripKiB != w.Layout.StripKiB:
		w.odd, w.hint = fmt.Sprintf("its heads say that it is %s, and it is configured as %s: what was written would be found elsewhere", howLaid(w.is), howLaid(w.Layout)), "put layout back as it was"
	case w.is.StripKiB > 0 && w.is != w.Layout:
		w.odd, w.hint = fmt.Sprintf("its heads say that it is striped over %s, and it is configured with %d: what was written would be found elsewhere", amount.Of(w.is.Parts, "part"), w.Layout.Parts), "put parts back to "+fmt.Sprint(w.is.Parts)
	case w.is.Parts > w.Layout.Parts:
		w.odd, w.hint = fmt.Sprintf("its heads say that it has %s, and it is configured with %d: what is in the others would be lost", amount.Of(w.is.Parts, "part"), w.Layout.Parts), "put them back; parts do not go one by one"
	}
	if w.odd != "" {
		b.blockAlone("volume "+w.Name, w.At("layout"), w.hint, "%s", w.odd)
	}
}

// disorder says that the parts are laid out in another order than theirs, by somebody else:
// strata never does; "" when they are not.
func (w *whole) disorder() string {
	for _, v := range w.b.w.Incarnations(w.Name) {
		for _, m := range w.b.w.Incarnation(v).Laid {
			var order []string
			wrong := false
			for i, leg := range m.Raid.Legs {
				name := w.b.volumeOf(w.b.w.Nodes[m.Node], leg)
				p, part := lineage.SplitPart(name)
				wrong = wrong || part && p.Index != i
				order = append(order, cmp.Or(name, "something else"))
			}
			if wrong {
				return fmt.Sprintf("RAID %s on %s lays it out as %s, and that is not the order of its parts: what hosts wrote before is not where they read it, and what they write goes elsewhere", m.Raid.Name, m.Node, strings.Join(order, ", "))
			}
		}
	}
	return ""
}

// volumeOf is the volume that a leg of a RAID on a node is of: of its mirror, or of an lvol;
// "" where neither is known.
func (b *builder) volumeOf(n *state.Node, leg state.Leg) string {
	for name, r := range n.Raids {
		if v, ours := b.cfg.Cluster.ParseRaid(name); ours && r.Laid == nil && (name == leg.Base || leg.UUID != "" && r.UUID == leg.UUID) {
			return v.Name
		}
	}
	for _, at := range b.w.Nodes {
		if l := at.LvolByUUID(leg.UUID); l != nil && l.Parsed != nil {
			return l.Parsed.Of().Name
		}
	}
	return ""
}

// partsOf are the parts of a whole of which heads are there.
func (b *builder) partsOf(whole string) (names []string) {
	for i := range lineage.MaxParts { // volumes are many
		name := lineage.PartName(whole, i)
		if slices.ContainsFunc(b.w.Incarnations(name), func(id lineage.Volume) bool { return len(b.w.Incarnation(id).Heads) > 0 }) {
			names = append(names, name)
		}
	}
	return names
}

// inWhole reports whether a part that is not configured is one of a whole that is, and in
// use there: it does not go without the others, whatever is released.
func (b *builder) inWhole(name string) bool {
	p, part := lineage.SplitPart(name)
	w := b.wholes[p.Whole]
	return part && w != nil && p.Index < w.is.Parts
}

func howLaid(l lineage.Layout) string {
	if l.StripKiB == 0 {
		return "linear"
	}
	return fmt.Sprintf("striped, %s at a time", amount.Bytes(int64(l.StripKiB)<<10))
}

// oneID reports whether what is in use of every part is of one incarnation of the whole:
// what else there is of them was left behind.
func (w *whole) oneID() bool {
	var one lineage.ID
	for _, v := range w.parts {
		p, why, _ := w.b.pick(v)
		switch {
		case why != "", p.id.Name == "": // says so itself, or is to be made
		case one == "":
			one = p.id.ID
		case p.id.ID != one:
			return false
		}
	}
	w.id = lineage.Volume{Name: w.Name, ID: one}
	return true
}

// lost says that a part is gone which the whole was made with; "" if it is there, or was
// never in use.
func (w *whole) lost(i int) string {
	if i >= w.is.Parts && (w.is.Parts > 0 || w.virgin()) {
		return ""
	}
	for _, id := range w.b.w.Incarnations(w.parts[i].Name) {
		if inc := w.b.w.Incarnation(id); len(inc.Heads)+len(inc.Raids) > 0 {
			return ""
		}
	}
	if len(w.b.w.Apart(w.parts[i].Name)) > 0 || w.virgin() {
		return ""
	}
	return fmt.Sprintf("no replica of it was found, and %s was in use with it: an empty one in its place would not be what hosts wrote", w.Name)
}

// virgin reports whether nothing was ever written to any of the parts that are there: their
// heads are as they were made.
func (w *whole) virgin() bool {
	for _, v := range w.parts {
		for _, id := range w.b.w.Incarnations(v.Name) {
			for _, h := range w.b.w.Incarnation(id).Heads {
				if h.Name.Mark != lineage.Sealed || h.Name.Epoch != 1 || !h.Lvol.Empty() {
					return false
				}
			}
		}
	}
	return true
}

// complete reports whether all parts could be judged.
func (w *whole) complete() bool {
	return !slices.Contains(w.on, nil)
}

// missing names the parts that could not be judged.
func (w *whole) missing() string {
	var names []string
	for i, s := range w.on {
		if s == nil {
			names = append(names, w.parts[i].Name)
		}
	}
	return strings.Join(names, ", ")
}
