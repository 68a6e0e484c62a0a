package report

import (
	"fmt"

	"strata/amount"
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Restoring is how far a volume is that hosts use while what it is made of is still being written.
type Restoring struct {
	Archive string           `json:"archive"`
	Image   lineage.LvolName `json:"image,omitempty"` // the layer whose record it is made of; "" where that is not known
	Node    lineage.Node     `json:"node"`
	// Served is whether the node is connected to a strata that serves what is not written yet;
	// while it is not, hosts wait for that.
	Served  bool  `json:"served"`
	Written int64 `json:"written"` // bytes
	Total   int64 `json:"total"`   // bytes at most; 0 where that is not known
}

// ahead is the lvol that hosts use in place of a replica; nil where there is none.
func ahead(inc *state.Incarnation) *state.Placed {
	if len(inc.Heads) > 0 {
		return nil
	}
	return inc.Forerunner()
}

// restoring says how far that is; nil where there is no such lvol.
func restoring(c lineage.Cluster, s *state.Snapshot, inc *state.Incarnation) *Restoring {
	at := ahead(inc)
	if at == nil {
		return nil
	}
	n, r := s.Nodes[at.Node], &Restoring{Node: at.Node}
	r.Served = at.Lvol.Reads(n.Controllers[c.ImageController(inc.Volume)])
	cluster := int64(0)
	if lvs := n.Lvstores[at.Lvol.Lvstore]; lvs != nil {
		cluster = lvs.ClusterSize
	}
	for _, o := range inc.Others {
		if o.Node == at.Node && o.Lvol != at.Lvol {
			r.Written += o.Lvol.Allocated * cluster
		}
	}
	return r
}

// restores puts it into the words of a volume.
func (out *Volume) restores() {
	r := out.Restoring
	out.Undecided, out.Current, out.Unread = false, 0, nil
	switch {
	case !r.Served:
		out.Health, out.Why = Down, "its hosts wait for a strata that serves what is not written to "+string(r.Node)+" yet"
	case len(out.Exports) > 0:
		out.Health, out.Why = Degraded, "hosts use it already; "+r.far()
	default:
		out.Health, out.Why = Down, r.far()
	}
}

func (r *Restoring) far() string {
	if r.Total == 0 {
		return fmt.Sprintf("of what it is restored of %s are written", amount.Bytes(r.Written))
	}
	return fmt.Sprintf("of what it is restored of %s of at most %s are written", amount.Bytes(r.Written), amount.Bytes(r.Total))
}

// recorded adds what the archive says.
func (r *Restoring) recorded(c lineage.Cluster, v *schema.Volume, inc *state.Incarnation, in *catalog.Archive) {
	at := ahead(inc)
	if v.Restore == nil || at == nil {
		return
	}
	r.Archive = v.Restore.Archive
	st := at.Lvol.Parsed.(lineage.Staging)
	rec := in.AsOf(v.Restore.From(c), lineage.Volume{Name: v.Restore.Volume, ID: st.From}, st.Epoch)
	if rec == nil {
		return
	}
	r.Image, r.Total = rec.Layer, 0
	for next := rec; next != nil; next = in.Find(next.Cluster, next.Over) {
		r.Total += next.Bytes
	}
	r.Total = max(min(r.Total, rec.Size), r.Written)
}
