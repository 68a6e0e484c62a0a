package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// sever makes an lvol that reads through a bdev that is going, or may be by then, stand
// on nothing, so that it can be deleted: as it is, deleting it would end the
// target, and as long as it is, the bdev and the controller that brought it do
// not go. It is put on an empty layer made for it, which then goes again. What
// it shows from then on is not what the volume has, so it stops being a head
// first. It returns the lvol's new name.
func (s *section) sever(pos schema.Pos, n lineage.Node, l *state.Lvol) lineage.LvolName {
	v := l.Parsed.Of()
	has := s.b.w.Nodes[n].Lvols
	free := func(from lineage.Name, next func() lineage.Name) lineage.LvolName {
		for has[l.Lvstore+"/"+string(from.Lvol())] != nil {
			from = next()
		}
		return from.Lvol()
	}
	epoch := lineage.NoLayer
	lower := func() lineage.Name { epoch--; return lineage.Staging{Volume: v, Epoch: epoch} }
	name := free(lineage.Staging{Volume: v, Epoch: epoch}, lower)
	other := free(lower(), lower)
	e := lineage.Epoch(1)
	higher := func() lineage.Name { e++; return void(v, e) }
	layer := free(void(v, e), higher)
	why := because(pos, "what %s reads through is gone, and goes no further while it is held", l.Name)
	if !s.b.w.Nodes[n].Orphaned(l) {
		why = because(pos, "what %s reads through may go at any moment: to delete it then would end the target", l.Name)
	}
	s.then(why, plan.RiskReduce, plan.LvolRename{At: plan.At{Node: n}, Lvstore: l.Lvstore, From: l.Name, To: name}, plan.LvolCreate{At: plan.At{Node: n}, Lvstore: l.Lvstore, Name: other, Size: l.Size})
	s.then(why, plan.RiskCreate, plan.LvolSnapshot{At: plan.At{Node: n}, Lvstore: l.Lvstore, Lvol: other, Layer: layer})
	s.then(why, plan.RiskReduce, plan.LvolSetParent{At: plan.At{Node: n}, Lvstore: l.Lvstore, Name: name, Layer: layer})
	s.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: n}, Lvstore: l.Lvstore, Name: other})
	s.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: n}, Lvstore: l.Lvstore, Name: layer})
	return name
}

// void names a layer without content.
func void(v lineage.Volume, e lineage.Epoch) lineage.Layer {
	return lineage.Layer{Volume: v, Epoch: e, Snapshot: "void", Own: true}
}

// pinnedBy names the lvol for which a controller that is going cannot go: it reads
// through what the controller brought. "" for none. Detaching such a controller
// takes 10 s and fails.
func (b *builder) pinnedBy(l lineage.Link) string {
	to := b.w.Nodes[l.To]
	ctrl := to.Controllers[b.w.Controller(l)]
	if ctrl == nil || ctrl.State != "deleting" {
		return ""
	}
	for _, alias := range slices.Sorted(maps.Keys(to.Lvols)) {
		lvol := to.Lvols[alias]
		if !to.Orphaned(lvol) {
			continue
		}
		if owner := b.w.Owner(lineage.UUID(lvol.External)); owner == "" || owner == l.From {
			return alias
		}
	}
	return ""
}
