package report

import (
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Follow is how far a volume has come that has whatever an archive has of another.
type Follow struct {
	Archive string          `json:"archive"`
	Cluster lineage.Cluster `json:"cluster"`
	Volume  string          `json:"volume"`           // the other, of that cluster
	Unread  string          `json:"unread,omitempty"` // why the archive could not be read; then neither Time nor Lacks are known
	Node    lineage.Node    `json:"node,omitempty"`   // where it is; "" when nothing is there yet
	// Snapshot is the youngest that it has whole, and Time when that was recorded (RFC 3339), as
	// far as there is a record of it.
	Snapshot string `json:"snapshot,omitempty"`
	Time     string `json:"time,omitempty"`
	// Lacks is how many younger ones are recorded, and Since when the first of them was.
	Lacks int    `json:"lacks"`
	Since string `json:"since,omitempty"`
}

// follows reports whether an incarnation is kept as what an archive has.
func follows(v *schema.Volume, inc *state.Incarnation) bool {
	return v.Restore != nil && v.Restore.Follow && len(inc.Heads) == 0
}

func follow(c lineage.Cluster, v *schema.Volume, inc *state.Incarnation, in *catalog.Archive) *Follow {
	f := &Follow{Archive: v.Restore.Archive, Cluster: v.Restore.From(c), Volume: v.Restore.Volume}
	var from lineage.ID
	var newest lineage.Layer
	for _, o := range inc.Others {
		switch p := o.Lvol.Parsed.(type) {
		case lineage.Staging:
			if p.Follows {
				f.Node, from = o.Node, p.From
			}
		case lineage.Layer:
			if p.Epoch > newest.Epoch {
				newest = p
			}
		}
	}
	f.Snapshot = newest.Snapshot
	if f.Unread = in.Doubt(); f.Unread != "" {
		return f
	}
	if from == "" {
		if last := in.Youngest(f.Cluster, f.Volume, ""); last != nil {
			from = last.Of().Volume.ID
		}
	}
	seen := map[lineage.LvolName]bool{}
	for _, r := range in.Of(f.Cluster, f.Volume) {
		switch of := r.Of(); {
		case of.Volume.ID != from:
		case of.Epoch == newest.Epoch:
			f.Time = stamp(r.Time)
		case of.Epoch > newest.Epoch && !seen[r.Layer]:
			seen[r.Layer] = true
			if f.Lacks++; f.Since == "" || stamp(r.Time) < f.Since {
				f.Since = stamp(r.Time)
			}
		}
	}
	return f
}
