package report

import (
	"slices"
	"strings"
	"sync"
	"time"

	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Backup is what the archive has of a volume that is backed up.
type Backup struct {
	Archive string `json:"archive"`
	Unread  string `json:"unread,omitempty"` // why it could not be read; then nothing else is known
	Records int    `json:"records"`
	// Of the record of the youngest snapshot: which that is, when it was made (RFC 3339), what the image is
	// large, what was sent for it, and when it was last read back and found whole.
	Snapshot string `json:"snapshot,omitempty"`
	Time     string `json:"time,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Copied   int64  `json:"copied"`
	Verified string `json:"verified,omitempty"`
	// Lacks are the snapshots that are to be there and are not.
	Lacks []string `json:"lacks,omitempty"`
}

// Recorded adds what archives hold.
func (r *Report) Recorded(cfg *schema.Config, s *state.Snapshot, found catalog.Catalog) {
	own := sync.OnceValue(func() *state.Snapshot { return s.Within(cfg.Cluster, cfg.Lvstores, cfg.Disk) })
	for i := range r.Volumes {
		v := cfg.Volume(r.Volumes[i].Name)
		if v == nil {
			continue
		}
		id := lineage.Volume{Name: v.Name, ID: r.Volumes[i].ID}
		if v.Backup != nil {
			r.Volumes[i].Backup = backup(cfg.Cluster, v, s.Incarnation(cfg.Cluster, id), found[v.Backup.To])
		}
		if is := r.Volumes[i].Restoring; is != nil && v.Restore != nil {
			is.recorded(cfg.Cluster, v, own().Incarnation(cfg.Cluster, id), found[v.Restore.Archive])
			r.Volumes[i].restores()
		}
		if r.Volumes[i].Health == Following {
			r.Volumes[i].Follow = follow(cfg.Cluster, v, own().Incarnation(cfg.Cluster, id), found[v.Restore.Archive])
		}
	}
}

func backup(c lineage.Cluster, v *schema.Volume, inc *state.Incarnation, in *catalog.Archive) *Backup {
	b := &Backup{Archive: v.Backup.To}
	if b.Unread = in.Doubt(); b.Unread != "" {
		return b
	}
	last := in.Youngest(c, v.Name, "")
	if b.Records = len(in.Of(c, v.Name)); last != nil {
		b.Snapshot, b.Time, b.Size, b.Copied = last.Of().Snapshot, stamp(last.Time), last.Size, last.Bytes
		if last.Verified != 0 {
			b.Verified = stamp(last.Verified)
		}
	}
	b.Lacks = lacking(c, v, inc, in)
	return b
}

func stamp(t int64) string { return time.Unix(t, 0).UTC().Format(time.RFC3339) }

// lacking are the snapshots of an incarnation that are to be in the archive and are not.
func lacking(c lineage.Cluster, v *schema.Volume, inc *state.Incarnation, in *catalog.Archive) (names []string) {
	for _, o := range inc.Others {
		of, ok := o.Lvol.Parsed.(lineage.Layer)
		if !ok || of.Own || !v.Backup.Wants(of.Snapshot) || in.Find(c, o.Lvol.Name) != nil {
			continue
		}
		if slices.Contains(v.Snapshots, of.Snapshot) || strings.HasPrefix(of.Snapshot, schema.AutoPrefix) && v.Backup.Keep == (schema.Keep{}) && v.Backup.Every == 0 {
			names = append(names, of.Snapshot)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
