package sweep

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/spdk/sim"
)

// truth looks at the disks as if the power went there and then: by their
// names alone, some head must be the authority of every volume in use, and it
// must have every acknowledged write and every layer that is to stay. It knows
// the rules of lineage, slowly, and nothing of package state.
func (w *world) truth(v *sim.View) error {
	lvols := v.Lvols()
	w.notice(lvols)
	if err := w.foreign(v, lvols); err != nil {
		return err
	}
	for _, h := range w.hosts {
		if !h.wrote() {
			continue
		}
		for _, s := range h.spans {
			_, why := authority(lvols, s.id)
			bare := why != "" && (w.failsOver(s.id) || !named(lvols, s.id)) && len(witnesses(lvols, s.id)) > 0 // each witness is looked at instead
			if err := believed(lvols, s.id, func(l sim.Stored) error { return h.hasIn(v, l, s) }); err != nil && !bare {
				return err
			}
			for _, l := range witnesses(lvols, s.id) {
				if err := h.hasIn(v, l, s); err != nil {
					return fmt.Errorf("%s/%s is of an epoch that was minted over links that wait: %w", l.Node, l.Name, err)
				}
			}
		}
	}
	for id, may := range w.still {
		err := believed(lvols, id, func(l sim.Stored) error {
			got, err := contentOf(v, l)
			if err == nil && !slices.Contains(may, got) {
				err = fmt.Errorf("nobody uses %s, and yet it has %v", id, got)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for i := range w.decays {
		if err := w.decays[i].told(v, lvols); err != nil {
			return err
		}
	}
	for i := range w.kept {
		if err := w.kept[i].stays(v, lvols); err != nil {
			return err
		}
	}
	return nil
}

// failsOver reports whether a volume fails over by itself from an engine without a replica:
// while that is in use no head is named as its authority.
func (w *world) failsOver(id lineage.Volume) bool {
	v := w.sc.final().Volume(id.Name)
	return v != nil && v.Failover && !slices.Contains(v.Replicas.On, v.Engine)
}

// named reports whether the highest epoch of a volume, or the one before, has an authority
// by name: not while its engine has no replica, as on the way of a move.
func named(lvols []sim.Stored, id lineage.Volume) bool {
	var top, authority lineage.Epoch
	for _, l := range lvols {
		h, ok := head(l)
		if !ok || h.Volume != id {
			continue
		}
		if top = max(top, h.Epoch); h.Mark == lineage.Primary {
			authority = max(authority, h.Epoch)
		}
	}
	return authority > 0 && authority+1 >= top
}

// believed checks each head that would be believed were the power to go.
func believed(lvols []sim.Stored, id lineage.Volume, check func(sim.Stored) error) error {
	heads, why := authority(lvols, id)
	if why != "" {
		return fmt.Errorf("were the power to go, nobody could tell which replica of %s is current: %s", id, why)
	}
	for _, l := range heads {
		if err := check(l); err != nil {
			return fmt.Errorf("were the power to go, %s/%s would be believed: %w", l.Node, l.Name, err)
		}
	}
	return nil
}

// authority is the head that names say is current when no engine runs; all
// sealed heads of an epoch are.
func authority(lvols []sim.Stored, id lineage.Volume) (found []sim.Stored, why string) {
	var top lineage.Epoch
	for _, l := range lvols {
		if h, ok := head(l); ok && h.Volume == id {
			top = max(top, h.Epoch)
		}
	}
	marks := map[lineage.Mark][]sim.Stored{}
	said := ""
	for _, l := range lvols {
		h, ok := head(l)
		if !ok || h.Volume != id {
			continue
		}
		said += " " + l.Node + "/" + l.Name
		if h.Epoch != top {
			continue
		}
		if h.Mark == lineage.Open && h.Legs == 1 {
			h.Mark = lineage.Primary
		}
		marks[h.Mark] = append(marks[h.Mark], l)
	}
	switch {
	case len(marks[lineage.Primary]) == 1:
		return marks[lineage.Primary], ""
	case len(marks[lineage.Primary]) == 0 && len(marks[lineage.Sealed]) > 0:
		return marks[lineage.Sealed], ""
	}
	if a, ok := notBegun(lvols, id, top); ok {
		return []sim.Stored{a}, ""
	}
	return nil, "there are" + said
}

// notBegun is the authority of an epoch where every leg of that is there, and all but it are
// as they were or were told that the highest leaves them out: an epoch that promised to tell
// others first has it so while the next is minted. Where that is not the next one, they were
// told twice, and more than could be let go unseen have to be as they were.
func notBegun(lvols []sim.Stored, id lineage.Volume, top lineage.Epoch) (found sim.Stored, ok bool) {
	var of lineage.Head
	for _, l := range lvols {
		if h, is := head(l); is && h.Volume == id && h.Epoch < top && h.Mark == lineage.Primary && h.Quorum && h.Epoch > of.Epoch {
			found, of = l, h
		}
	}
	told, asNamed := 0, 0
	for _, l := range lvols {
		h, is := head(l)
		switch {
		case !is || h.Volume != id:
		case h.Epoch == top && h.Mark == lineage.Fenced && !h.Pledged:
			told++
		case h.Epoch == of.Epoch && h.Mark != lineage.Fenced:
			asNamed++
		case h.Epoch > of.Epoch && h.Mark != lineage.Fenced:
			return found, false
		}
	}
	return found, of.Legs > 0 && told+asNamed >= of.Legs && (of.Epoch+1 == top || asNamed >= of.Untold())
}

// witnesses are the open heads of the highest epoch whose names say that it was minted
// over links that wait: whichever is left has what was acknowledged.
func witnesses(lvols []sim.Stored, id lineage.Volume) (found []sim.Stored) {
	var top lineage.Epoch
	for _, l := range lvols {
		if h, ok := head(l); ok && h.Volume == id && h.Epoch >= top && !h.Pledged {
			if h.Epoch > top {
				found = nil
			}
			if top = h.Epoch; h.Wait {
				found = append(found, l)
			}
		}
	}
	return found
}

func head(l sim.Stored) (lineage.Head, bool) {
	n, ok := lineage.Parse(lineage.LvolName(l.Name))
	if !ok {
		return lineage.Head{}, false
	}
	h, ok := n.(lineage.Head)
	return h, ok
}

const theirs = "strangers"

// foreign checks that somebody else's lvol is as it was.
func (w *world) foreign(v *sim.View, lvols []sim.Stored) error {
	for node, uuid := range w.theirs {
		ok := false
		for _, l := range lvols {
			if l.Node == node && l.Name == theirs && l.UUID == uuid {
				p := make([]byte, len(theirs))
				ok = v.Read(l, p, 0) == nil && string(p) == theirs
			}
		}
		if !ok {
			return fmt.Errorf("somebody else's lvol on %s is not what it was", node)
		}
	}
	return nil
}
