// Package catalog has what archives hold of volumes, as it was found: which layers are
// recorded, since when, and on what each record was built. It is an observation, as the
// Snapshot of the nodes is, and plans are made of both. It reads no archive.
package catalog

import (
	"cmp"
	"maps"
	"slices"

	"strata/lineage"
)

// Catalog has the archives that were looked into, by their name in the configuration.
type Catalog map[string]*Archive

// Archive is what was found in one.
type Archive struct {
	// Unread says why it could not be read; "" when it was. What is in one that was not
	// is not known: nothing is absent for that.
	Unread string
	// Records are those of layers of any cluster's volumes, oldest first.
	Records []Record
}

// Record is the image of a volume as of one of its layers.
type Record struct {
	ID      string // in hexadecimal; it changes with the tags
	Cluster lineage.Cluster
	Layer   lineage.LvolName // which layer it is the image of; a Layer of its Volume
	// Over is the layer whose record it was built on; "" when all was copied.
	Over  lineage.LvolName
	Time  int64 // when it was recorded, in seconds since 1970
	Size  int64 // of the image, in bytes
	Block int64 // in which pieces it is kept, in bytes
	Bytes int64 // that were copied from the node for it
	// Verified is when it was last read back and found to be whole, in seconds since 1970;
	// 0 for never.
	Verified int64
	// Check tells the key without which nothing of it can be read; "" where none is needed.
	Check lineage.Check
}

// Of is the incarnation of which the record is, and the layer's name taken apart.
func (r *Record) Of() lineage.Layer {
	l, _ := lineage.ParseLayer(r.Layer)
	return l
}

// Block is in which pieces the image of a volume with clusters of that size is kept, in
// bytes, if it builds on no other.
func Block(cluster int64) int64 { return min(cluster, 1<<20) }

// Find is the latest record of a layer; nil when there is none, or the archive was not
// looked into.
func (a *Archive) Find(c lineage.Cluster, layer lineage.LvolName) *Record {
	if a == nil {
		return nil
	}
	for i := range slices.Backward(a.Records) {
		if r := &a.Records[i]; r.Layer == layer && r.Cluster == c {
			return r
		}
	}
	return nil
}

// Of are the records of a volume of a cluster, of whatever incarnation, the oldest layer
// first: the order of incarnations is that of their latest records.
func (a *Archive) Of(c lineage.Cluster, volume string) (all []Record) {
	if a == nil {
		return nil
	}
	last := map[lineage.ID]int64{}
	for _, r := range a.Records {
		if of := r.Of(); r.Cluster == c && of.Volume.Name == volume {
			all = append(all, r)
			last[of.Volume.ID] = max(last[of.Volume.ID], r.Time)
		}
	}
	slices.SortStableFunc(all, func(x, y Record) int {
		a, b := x.Of(), y.Of()
		return cmp.Or(cmp.Compare(last[a.Volume.ID], last[b.Volume.ID]), cmp.Compare(a.Volume.ID, b.Volume.ID), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(x.Time, y.Time))
	})
	return all
}

// Youngest is the record of a volume's youngest snapshot that is there, or of the youngest
// of that name: whatever was recorded last, for a snapshot can be recorded after others
// that are younger. Nil when there is none.
func (a *Archive) Youngest(c lineage.Cluster, volume, snapshot string) *Record {
	all := a.Of(c, volume)
	for i := range slices.Backward(all) {
		if snapshot == "" || all[i].Of().Snapshot == snapshot {
			return &all[i]
		}
	}
	return nil
}

// Without is the catalog without the records of layers of a cluster in an archive.
func (c Catalog) Without(archive string, of lineage.Cluster, layers []lineage.LvolName) Catalog {
	out := maps.Clone(c)
	if old := c[archive]; old != nil {
		a := *old
		a.Records = slices.DeleteFunc(slices.Clone(a.Records), func(r Record) bool { return r.Cluster == of && slices.Contains(layers, r.Layer) })
		out[archive] = &a
	}
	return out
}

// With is the catalog with one record more.
func (c Catalog) With(archive string, r Record) Catalog {
	out := maps.Clone(c)
	a := &Archive{}
	if old := c[archive]; old != nil {
		*a = *old
	}
	a.Records = append(slices.Clip(a.Records), r)
	out[archive] = a
	return out
}
