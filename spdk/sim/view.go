package sim

import (
	"slices"
	"strings"
)

// View is what all disks hold at one moment, whether their targets run or
// not. It is valid only inside the function it was handed to.
type View struct{ c *Cluster }

// Stored is an lvol as its disk has it.
type Stored struct {
	Node, Lvstore, Name, UUID string
	Size                      int64 // bytes
	Snapshot                  bool

	s *blobstore
	b *blob
}

// Watch has f look at the disks after every call that may have changed
// something, before anything else happens; nil ends it. f must not call into
// the package but through its View.
func (c *Cluster) Watch(f func(*View)) { c.locked(func() { c.watch = f }) }

// Look has f look at the disks now.
func (c *Cluster) Look(f func(*View)) { c.locked(func() { f(&View{c}) }) }

func (c *Cluster) observe() {
	if c.watch != nil {
		c.watch(&View{c})
	}
}

// Lvols lists all lvols by node, lvstore and name.
func (v *View) Lvols() []Stored {
	var all []Stored
	for node, t := range v.c.targets {
		for _, d := range t.disks {
			if d.store == nil {
				continue
			}
			for _, b := range d.store.blobs {
				all = append(all, Stored{
					Node: node, Lvstore: d.store.name, Name: b.Name, UUID: b.UUID,
					Size: int64(b.Clusters) * d.store.cluster, Snapshot: b.Snapshot, s: d.store, b: b,
				})
			}
		}
	}
	slices.SortFunc(all, func(x, y Stored) int {
		return strings.Compare(x.Node+"/"+x.Lvstore+"/"+x.Name, y.Node+"/"+y.Lvstore+"/"+y.Name)
	})
	return all
}

// Has reports whether the lvol has a cluster of its own where that byte is.
func (l Stored) Has(off int64) bool {
	_, has := l.b.Map[uint32(off/l.s.cluster)]
	return has
}

// Read reads from an lvol. One that stands on a bdev elsewhere is not
// complete, and cannot be read beyond what it has itself.
func (v *View) Read(l Stored, p []byte, off int64) error {
	vol := volume{s: l.s, esnap: func(*blob) *bdev { return nil }}
	return vol.read(&op{}, l.b, p, off)
}
