package sim

import (
	"slices"
)

// lvstore is a blobstore that a process has loaded.
type lvstore struct {
	p     *process
	store *blobstore
	base  *bdev
	lvols []*lvol // in the order they came
	byID  map[uint64]*lvol
	names map[string]*lvol

	renamed  string // the last name it was given, which nobody else may take
	removing bool   // its base is going, and something has an lvol open
	creating int    // lvols that are on their way
}

// lvol is a blob with its bdev.
type lvol struct {
	lvs    *lvstore
	blob   *blob
	bdev   *bdev // nil while degraded, or half deleted, or if its UUID is another bdev's
	esnap  *bdev // the source of an external-snapshot clone, if open
	hidden bool  // a delete failed half way: no bdev, in no listing
}

func (p *process) lvstoreNamed(name string) *lvstore {
	for _, l := range p.lvs {
		if l.store.name == name {
			return l
		}
	}
	return nil
}

// load brings the lvols of a store up on its base bdev.
func (p *process) load(base *bdev, s *blobstore) {
	if s.loaded || p.lvstoreNamed(s.name) != nil {
		return
	}
	s.reclaim()
	l := &lvstore{p: p, store: s, base: base, byID: map[uint64]*lvol{}, names: map[string]*lvol{}}
	if base.open(l, true, claimWriteOne) != nil {
		return
	}
	s.loaded, s.zeroes = true, p.t.c.opts.Profile.zeroesClusters
	p.lvs = append(p.lvs, l)
	for _, b := range s.ordered() {
		b.locked = false
		if b.onDisk != "" {
			b.Name, b.onDisk = b.onDisk, ""
		}
		l.add(b)
	}
	for _, v := range l.lvols {
		l.bringUp(v)
	}
}

func (l *lvstore) add(b *blob) *lvol {
	v := &lvol{lvs: l, blob: b}
	l.lvols = append(l.lvols, v)
	l.byID[b.ID] = v
	l.names[b.Name] = v
	return v
}

// bringUp opens what v stands on and registers its bdev, unless degraded.
func (l *lvstore) bringUp(v *lvol) {
	if id := v.blob.Esnap; id != "" && v.esnap == nil {
		if src := l.p.bdevs.find(id); src != nil && src != v.bdev && src.open(v, false, claimWriteNone) == nil {
			v.esnap = src
		} else if !slices.Contains(l.p.degr[id], v) {
			l.p.degr[id] = append(l.p.degr[id], v)
		}
	}
	if v.bdev != nil || v.hidden || v.degraded() {
		return
	}
	b := &bdev{name: v.blob.UUID, uuid: v.blob.UUID, alias: l.store.name + "/" + v.blob.Name, product: "Logical Volume",
		blockSize: l.store.block, numBlocks: l.blocks(v.blob.Clusters), dev: v}
	v.bdev = b
	if l.p.register(b) != nil {
		v.bdev = nil
	}
}

func (l *lvstore) blocks(clusters uint32) uint64 {
	return uint64(clusters) * uint64(l.store.cluster) / uint64(l.store.block)
}

// degraded says whether something that v stands on is not there.
func (v *lvol) degraded() bool {
	for v != nil {
		if v.blob.Esnap != "" {
			return v.esnap == nil
		}
		v = v.lvs.byID[v.blob.Parent]
	}
	return false
}

// orphaned says whether v is up although its source has gone. To delete it SPDK
// opens the blob anew, misses the source, and reads through a null pointer to
// say so.
func (v *lvol) orphaned() bool { return v.esnap != nil && v.esnap.removing }

// unregistered says whether v is open but could not have its bdev: another has
// its UUID. SPDK does not look at that again, and trips over it when it deletes v.
func (v *lvol) unregistered() bool { return v.bdev == nil && !v.hidden && !v.degraded() }

// hotplug brings up the lvols that waited for b, and what stands on them.
func (p *process) hotplug(b *bdev) {
	if len(p.degr) > 0 {
		waiting := p.degr[b.uuid]
		delete(p.degr, b.uuid)
		for _, v := range waiting {
			v.lvs.bringUpTree(v)
		}
	}
	if d, ok := b.dev.(*local); ok && d.disk.store != nil {
		p.lookInto(b, d.disk)
	}
}

// lookInto finds the lvstore on a disk, which may take a while.
func (p *process) lookInto(b *bdev, d *disk) {
	if p.t.examineTime == 0 {
		p.load(b, d.store)
		return
	}
	p.examining++
	p.after(p.t.examineTime, func() {
		if p.examining--; !b.removing && d.store != nil {
			p.load(b, d.store)
		}
	})
}

func (l *lvstore) bringUpTree(v *lvol) {
	l.bringUp(v)
	for _, id := range v.blob.children {
		if c := l.byID[id]; c != nil {
			l.bringUpTree(c)
		}
	}
}

// drop forgets v after its blob is gone or its store is unloaded.
func (l *lvstore) drop(v *lvol) {
	l.lvols = slices.DeleteFunc(l.lvols, func(x *lvol) bool { return x == v })
	delete(l.byID, v.blob.ID)
	delete(l.names, v.blob.Name)
	l.forget(v)
}

// forget closes what v stands on.
func (l *lvstore) forget(v *lvol) {
	if v.esnap != nil {
		src := v.esnap
		v.esnap = nil
		src.close(v)
	}
	for id, vs := range l.p.degr {
		if vs = slices.DeleteFunc(vs, func(x *lvol) bool { return x == v }); len(vs) == 0 {
			delete(l.p.degr, id)
		} else {
			l.p.degr[id] = vs
		}
	}
}

// adopt moves the source of an external-snapshot clone from v to w, which
// stands on it instead now.
func (l *lvstore) adopt(v, w *lvol) {
	if v.esnap != nil {
		src := v.esnap
		v.esnap = nil
		w.esnap = src
		for i := range src.users {
			if src.users[i].u == user(v) {
				src.users[i].u = w
			}
		}
	}
	for id, vs := range l.p.degr {
		for i := range vs {
			if vs[i] == v {
				l.p.degr[id][i] = w
			}
		}
	}
}

// unload takes the store away with all its bdevs, and calls then once nobody
// has one open. Until then the store is listed with what is left of it.
func (l *lvstore) unload(then func()) {
	l.removing = true
	left := 1
	closed := func() {
		if left--; left == 0 {
			l.p.lvs = slices.DeleteFunc(l.p.lvs, func(x *lvstore) bool { return x == l })
			l.store.loaded = false
			then()
		}
	}
	for _, v := range slices.Clone(l.lvols) {
		b := v.bdev
		if b == nil {
			l.drop(v)
			continue
		}
		left++
		l.p.unregister(b, func() { l.drop(v); closed() })
	}
	closed()
}

func (l *lvstore) gone(b *bdev) bool {
	if !l.removing {
		l.unload(func() { b.close(l) })
	}
	return false
}

func (l *lvstore) resized(*bdev) {}

// gone of an external snapshot's source: SPDK's lvol module does not let go
// of it.
func (v *lvol) gone(*bdev) bool { return false }
func (v *lvol) resized(*bdev)   {}

func (v *lvol) volume() volume {
	return volume{v.lvs.store, func(b *blob) *bdev {
		if x := v.lvs.byID[b.ID]; x != nil && x.esnap != nil && !x.esnap.removing {
			return x.esnap
		}
		return nil
	}}
}

func (v *lvol) read(o *op, p []byte, off int64) error {
	return v.volume().read(o, v.blob, p, off)
}

func (v *lvol) write(o *op, p []byte, off int64) error {
	return v.volume().write(o, v.blob, p, off)
}

func (v *lvol) discard(_ *op, off, n int64) error { return v.volume().discard(v.blob, off, n) }

func (v *lvol) ioTypes() ioType {
	t := ioRead | ioReset | ioSeekHole | ioSeekData
	if !v.lvs.p.build().recent {
		t |= ioFlush
	}
	if !v.blob.ReadOnly {
		t |= ioWrite | ioUnmap | ioWriteZeroes
	}
	return t
}

func (v *lvol) numaID() (int, bool) {
	id, known := v.lvs.base.numaID()
	return id, known && v.lvs.p.build().recent
}

func (v *lvol) memoryDomains() []string {
	ds := v.lvs.base.memoryDomains()
	if v.esnap != nil {
		ds = append(ds[:len(ds):len(ds)], v.esnap.memoryDomains()...)
	}
	return ds
}

func (v *lvol) describe(b []byte) []byte {
	s, bl := v.lvs.store, v.blob
	b = append(key(b, "lvol"), '{')
	b = text(b, "lvol_store_uuid", s.uuid)
	b = text(b, "base_bdev", v.lvs.base.name)
	b = boolean(b, "thin_provision", bl.Thin)
	b = number(b, "num_allocated_clusters", uint64(len(bl.Map)))
	b = boolean(b, "snapshot", bl.Snapshot)
	parent := v.lvs.byID[bl.Parent]
	b = boolean(b, "clone", bl.Parent != 0)
	if parent != nil && !parent.hidden {
		b = text(b, "base_snapshot", parent.blob.Name)
	}
	if len(bl.children) > 0 {
		b = append(key(b, "clones"), '[')
		for _, id := range bl.children {
			b = quote(item(b), s.blobs[id].Name)
		}
		b = append(b, ']')
	}
	b = boolean(b, "esnap_clone", bl.Esnap != "")
	if bl.Esnap != "" {
		b = text(b, "external_snapshot_name", bl.Esnap)
	}
	return append(b, '}')
}
