// Package catalog has what archives hold of volumes, as it was found: which layers are
// recorded, since when, and on what each record was built. It is an observation, as the
// Snapshot of the nodes is, and plans are made of both. It reads no archive.
package catalog

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"strata/lineage"
)

// Catalog has the archives that were looked into, by their name in the configuration.
type Catalog map[string]*Archive

// Archive is what was found in one.
type Archive struct {
	// Unread says why it could not be read; "" when it was. What is in one that was not
	// is not known: nothing is absent for that.
	Unread string
	// Records are those of layers of any cluster's volumes, oldest first. They stay as they
	// are once anybody has asked for some.
	Records []Record

	sort     sync.Once
	byVolume map[volumeOf][]Record // as Of gives them
}

type volumeOf struct {
	cluster lineage.Cluster
	volume  string
}

// Doubt says why nothing is known of what an archive holds; "" when that is known.
func (a *Archive) Doubt() string {
	if a == nil {
		return "nobody has looked into it"
	}
	return a.Unread
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
	of, _ := lineage.ParseLayer(layer)
	all := a.Of(c, of.Volume.Name)
	for i := range slices.Backward(all) {
		if r := &all[i]; r.Layer == layer {
			return r
		}
	}
	return nil
}

// AsOf is the record of the layer that an incarnation of a cluster's volume got in an epoch; nil
// where there is none, or the archive was not looked into.
func (a *Archive) AsOf(c lineage.Cluster, v lineage.Volume, e lineage.Epoch) *Record {
	all := a.Of(c, v.Name)
	for i := range all {
		if of := all[i].Of(); of.Volume.ID == v.ID && of.Epoch == e {
			return &all[i]
		}
	}
	return nil
}

// Of are the records of a volume of a cluster, of whatever incarnation, the oldest layer
// first: the order of incarnations is that of their latest records. Who asks changes none
// of them.
func (a *Archive) Of(c lineage.Cluster, volume string) []Record {
	if a == nil {
		return nil
	}
	a.sort.Do(a.index)
	return a.byVolume[volumeOf{c, volume}]
}

func (a *Archive) index() {
	a.byVolume = map[volumeOf][]Record{}
	for _, r := range a.Records {
		key := volumeOf{r.Cluster, r.Of().Volume.Name}
		a.byVolume[key] = append(a.byVolume[key], r)
	}
	for _, all := range a.byVolume {
		last := map[lineage.ID]int64{}
		for _, r := range all {
			id := r.Of().Volume.ID
			last[id] = max(last[id], r.Time)
		}
		slices.SortStableFunc(all, func(x, y Record) int {
			a, b := x.Of(), y.Of()
			return cmp.Or(cmp.Compare(last[a.Volume.ID], last[b.Volume.ID]), cmp.Compare(a.Volume.ID, b.Volume.ID), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(x.Time, y.Time))
		})
	}
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
		left := slices.DeleteFunc(slices.Clone(old.Records), func(r Record) bool { return r.Cluster == of && slices.Contains(layers, r.Layer) })
		out[archive] = &Archive{Unread: old.Unread, Records: left}
	}
	return out
}

// With is the catalog with one record more.
func (c Catalog) With(archive string, r Record) Catalog {
	out := maps.Clone(c)
	a := &Archive{Records: []Record{r}}
	if old := c[archive]; old != nil {
		a = &Archive{Unread: old.Unread, Records: append(slices.Clip(old.Records), r)}
	}
	out[archive] = a
	return out
}
