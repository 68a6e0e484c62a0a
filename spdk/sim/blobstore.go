package sim

import (
	"maps"
	"slices"
	"time"
)

// blobstore is an lvstore as it is on its disk: durable state only.
type blobstore struct {
	disk    *disk
	log     *metaLog // nil in memory
	loaded  bool     // by a process
	zeroes  bool     // the build zeroes clusters it allocates
	uuid    string
	name    string
	cluster int64 // bytes
	block   uint32
	total   uint32 // data clusters
	growMax uint64 // bytes
	first   uint32 // number of the first data cluster on the disk

	next  uint32   // never allocated from here on
	freed []uint32 // allocated once, free again
	used  uint32
	// leaked have no blob any more, and are free once the lvstore is loaded anew: to discard
	// them has failed.
	leaked []uint32

	blobs  map[uint64]*blob
	lastID uint64
}

// blob is an lvol as it is on the disk.
type blob struct {
	ID       uint64            `json:"id"`
	UUID     string            `json:"uuid"`
	Name     string            `json:"name"`
	Clusters uint32            `json:"clusters"` // its size
	Thin     bool              `json:"thin,omitempty"`
	ReadOnly bool              `json:"ro,omitempty"`
	Snapshot bool              `json:"snap,omitempty"`
	Parent   uint64            `json:"parent,omitempty"`
	Esnap    string            `json:"esnap,omitempty"`   // UUID of the bdev it stands on
	Map      map[uint32]uint32 `json:"map,omitempty"`     // cluster → cluster of the disk
	Created  int64             `json:"created,omitempty"` // seconds since 1970
	Attrs    map[string]string `json:"attrs,omitempty"`

	onDisk   string   // the name that is on the disk, if it is another
	children []uint64 // clones in the order they came
	locked   bool     // being copied
}

// format lays out a new store as SPDK does: one metadata page a cluster.
func format(d *disk, block uint32, cluster int64, mdRatio uint32, uuid, name string) *blobstore {
	const page, maskHeader = 4096, 5
	up := func(a, b int64) int64 { return (a + b - 1) / b }
	all := d.size / cluster
	md := all * int64(mdRatio) / 100
	mask := func(bits int64) int64 { return up(maskHeader+up(bits, 8), page) }
	pages := 1 + mask(md) + max(mask(md), mask(all)) + mask(md) + md
	first := up(pages*page, cluster)
	if first > all {
		return nil
	}
	return &blobstore{
		disk: d, uuid: uuid, name: name, cluster: cluster, block: block,
		first: uint32(first), total: uint32(all - first), next: uint32(first),
		growMax: uint64((mask(md)*page-maskHeader)*8) * uint64(cluster),
		blobs:   map[uint64]*blob{},
	}
}

func (s *blobstore) free() uint32 {
	if s.disk.full {
		return 0
	}
	return s.total - s.used
}

// clustersFor rounds a size in bytes up to clusters.
func (s *blobstore) clustersFor(bytes uint64) uint64 {
	return (bytes + uint64(s.cluster) - 1) / uint64(s.cluster)
}

func (s *blobstore) ordered() []*blob {
	ids := slices.Sorted(maps.Keys(s.blobs))
	bs := make([]*blob, len(ids))
	for i, id := range ids {
		bs[i] = s.blobs[id]
	}
	return bs
}

// take allocates one cluster of the disk.
func (s *blobstore) take() uint32 {
	s.used++
	if n := len(s.freed); n > 0 {
		c := s.freed[n-1]
		s.freed = s.freed[:n-1]
		return c
	}
	s.next++
	return s.next - 1
}

func (s *blobstore) release(c uint32) {
	if s.disk.cannot() {
		s.leaked = append(s.leaked, c)
		return
	}
	s.used--
	s.freed = append(s.freed, c)
	if s.disk.trims || s.disk.punches {
		s.disk.data.discard(int64(c)*s.cluster, s.cluster)
	}
}

// reclaim frees what was leaked.
func (s *blobstore) reclaim() {
	s.used -= uint32(len(s.leaked))
	s.freed = append(s.freed, s.leaked...)
	s.leaked = nil
}

// alloc gives b the clusters from..to-1 that it does not have.
func (s *blobstore) alloc(b *blob, from, to uint32) {
	var pairs []uint32
	if b.Map == nil {
		b.Map = map[uint32]uint32{}
	}
	for i := from; i < to; i++ {
		if _, ok := b.Map[i]; !ok {
			c := s.take()
			b.Map[i] = c
			pairs = append(pairs, i, c)
		}
	}
	s.log.add(record{Op: "alloc", ID: b.ID, Pairs: pairs})
}

func (s *blobstore) put(b *blob) {
	b.onDisk = ""
	s.blobs[b.ID] = b
	s.log.add(record{Op: "put", Blob: b.bare()})
}

// bare is b without its map, which is logged by itself.
func (b *blob) bare() *blob {
	c := *b
	c.Map = nil
	return &c
}

func (s *blobstore) newBlob(name string) *blob {
	s.lastID++
	return &blob{ID: s.lastID, UUID: newUUID(), Name: name, Thin: true, Created: time.Now().Unix()}
}

// setParent moves b under another snapshot (or none) of the store.
func (s *blobstore) setParent(b *blob, parent uint64, esnap string) {
	if p := s.blobs[b.Parent]; p != nil {
		p.children = slices.DeleteFunc(p.children, func(id uint64) bool { return id == b.ID })
	}
	b.Parent, b.Esnap = parent, esnap
	if p := s.blobs[parent]; p != nil {
		p.children = append(p.children, b.ID)
	}
}

// snapshot puts a new blob between b and its parent that has b's clusters.
func (s *blobstore) snapshot(b *blob, name string) *blob {
	n := s.newBlob(name)
	n.Clusters, n.Thin, n.ReadOnly, n.Snapshot = b.Clusters, b.Thin, true, true
	n.Parent, n.Esnap = b.Parent, b.Esnap
	s.log.begin()
	s.put(n)
	if p := s.blobs[b.Parent]; p != nil {
		p.replaceChild(b.ID, n.ID)
	}
	s.move(b, n)
	b.Parent, b.Esnap, b.Thin = n.ID, "", true
	n.children = []uint64{b.ID}
	s.put(b)
	s.log.end()
	return n
}

// replaceChild puts a new clone at the end in place of an old one.
func (b *blob) replaceChild(old, new uint64) {
	b.children = append(slices.DeleteFunc(b.children, func(id uint64) bool { return id == old }), new)
}

// move gives to all clusters of from that it has none of its own for.
func (s *blobstore) move(from, to *blob) {
	s.log.add(record{Op: "move", ID: from.ID, To: to.ID})
	if len(to.Map) == 0 {
		to.Map, from.Map = from.Map, nil
		return
	}
	for i, c := range from.Map {
		if _, ok := to.Map[i]; ok || i >= to.Clusters {
			s.release(c)
		} else {
			to.Map[i] = c
		}
	}
	from.Map = nil
}

// drop deletes b; its clusters go to its only clone, if it has one.
func (s *blobstore) drop(b *blob) {
	s.log.begin()
	defer s.log.end()
	if len(b.children) == 1 {
		child := s.blobs[b.children[0]]
		s.move(b, child)
		child.Parent, child.Esnap = b.Parent, b.Esnap
		if p := s.blobs[b.Parent]; p != nil {
			p.replaceChild(b.ID, child.ID)
		}
		s.put(child)
	} else {
		s.setParent(b, 0, "")
	}
	for _, c := range b.Map {
		s.release(c)
	}
	delete(s.blobs, b.ID)
	s.log.add(record{Op: "drop", ID: b.ID})
}

// resize changes the size; a thick blob needs the clusters there are.
func (s *blobstore) resize(b *blob, clusters uint32) error {
	if !b.Thin && clusters > b.Clusters && clusters-b.Clusters > s.free() {
		return enospc
	}
	s.log.begin()
	defer s.log.end()
	old := b.Clusters
	b.Clusters = clusters
	for i, c := range b.Map {
		if i >= clusters {
			s.release(c)
			delete(b.Map, i)
		}
	}
	s.put(b)
	s.log.add(record{Op: "shrink", ID: b.ID})
	if !b.Thin && clusters > old {
		s.alloc(b, old, clusters)
	}
	return nil
}
