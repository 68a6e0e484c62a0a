package draft

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// layers finds the snapshots, oldest first, and what strata took by itself.
func (v *volume) layers(inc *state.Incarnation, verdict state.Verdict, now int64) {
	var cut lineage.Epoch
	for _, h := range inc.Heads {
		if h.Name.Mark != lineage.Fenced {
			cut = max(cut, h.Name.Cut)
		}
	}
	var all []lineage.Layer
	for _, o := range inc.Others {
		current := len(verdict.Legs) == 0 || slices.ContainsFunc(verdict.Legs, func(l state.CurrentLeg) bool {
			return l.Node == o.Node && l.Head != nil && l.Head.Lvol.Lvstore == o.Lvol.Lvstore
		})
		if l, ok := o.Lvol.Parsed.(lineage.Layer); ok && current && l.Epoch <= cut && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b lineage.Layer) int {
		if a.Epoch != b.Epoch {
			return int(a.Epoch) - int(b.Epoch)
		}
		return strings.Compare(a.Snapshot, b.Snapshot)
	})
	var auto []string
	mark := ""
	for _, l := range all {
		switch {
		case l.Own:
			if t, ok := strings.CutPrefix(l.Snapshot, markPrefix); ok {
				mark = t
			}
		case strings.HasPrefix(l.Snapshot, schema.AutoPrefix):
			auto = append(auto, l.Snapshot)
		case l.Snapshot == "head": // older versions allowed it
			v.notef("It has a snapshot called head, a name that none may have any more, so that is not written down.")
		default:
			v.snapshots = slices.DeleteFunc(v.snapshots, func(s string) bool { return s == l.Snapshot })
			v.snapshots = append(v.snapshots, l.Snapshot)
		}
	}
	if len(auto) > 0 {
		v.notef("Snapshots were taken on schedule, %s the last; every and keep are not recorded.", auto[len(auto)-1])
	}
	if mark != "" {
		v.resync = resyncFor(mark, now)
		v.notef("How often resync was to take a layer is not recorded.")
	}
	if v.export.Kind == schema.ExportUblk || v.export.Kind == schema.ExportNBD {
		if len(v.snapshots) > 0 {
			v.consistency = schema.ConsistencyNone
		}
	}
}

// markPrefix begins the layers that resync takes; the time follows.
const markPrefix = "mark-"

// resyncFor is a time between layers by which the next is not due yet.
func resyncFor(mark string, now int64) string {
	t, err := time.Parse("20060102-1504", mark)
	for _, hours := range []int64{1, 6, 24, 7 * 24} {
		if err == nil && now < t.Unix()+hours*60*60 {
			return fmt.Sprintf("%dh", hours)
		}
	}
	return "8784h"
}

// clone finds the snapshot of another volume that a volume was cloned from, and
// writes it down if that can be configured.
func (d *drafter) clone(s *state.Snapshot, v *volume) {
	source, ok := standsOn(s, d.cfg.Cluster, v.id)
	if !ok {
		return
	}
	from := &schema.From{Volume: source.Volume.Name, Snapshot: source.Snapshot}
	var size int64
	var on []lineage.Node
	var snapshots []string
	count := 0
	if i := slices.IndexFunc(d.found, func(o *volume) bool { return o.id == source.Volume }); i >= 0 {
		o := d.found[i]
		size, on, snapshots, count = o.size, o.on, o.snapshots, len(o.on)
	} else if o := d.cfg.Volume(from.Volume); o != nil {
		size, on, snapshots, count = o.Size, o.Replicas.On, o.Snapshots, o.Replicas.Count
	}
	elsewhere := len(on) > 0 && slices.ContainsFunc(v.on, func(n lineage.Node) bool { return !slices.Contains(on, n) })
	if !slices.Contains(snapshots, from.Snapshot) || v.size < size || len(v.on) > count || elsewhere {
		v.notef("It was cloned from %s@%s, which cannot be written down as both are now.", from.Volume, from.Snapshot)
		return
	}
	v.from = from
}

// standsOn finds the layer of another volume that a volume's heads stand on.
func standsOn(s *state.Snapshot, c lineage.Cluster, v lineage.Volume) (lineage.Layer, bool) {
	for _, h := range s.Incarnation(c, v).Heads {
		for _, below := range s.Nodes[h.Node].Below(h.Lvol) {
			if l, ok := below.Parsed.(lineage.Layer); ok && l.Volume != v {
				return l, true
			}
		}
	}
	return lineage.Layer{}, false
}
