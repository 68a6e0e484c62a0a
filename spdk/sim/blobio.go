package sim

// volume is a blob with what it takes to read and write it in a process: the
// external snapshot, if it stands on one.
type volume struct {
	s *blobstore
	// esnap finds the bdev that a blob of the store stands on, nil if it is
	// not there.
	esnap func(b *blob) *bdev
}

// read reads from b and what it stands on.
func (v volume) read(o *op, b *blob, p []byte, off int64) error {
	if off < 0 || off+int64(len(p)) > int64(b.Clusters)*v.s.cluster {
		return einval
	}
	for len(p) > 0 {
		idx, at := uint32(off/v.s.cluster), off%v.s.cluster
		n := int(min(int64(len(p)), v.s.cluster-at))
		if err := v.readCluster(o, b, idx, at, p[:n]); err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

func (v volume) readCluster(o *op, b *blob, idx uint32, at int64, p []byte) error {
	for ; b != nil; b = v.s.blobs[b.Parent] {
		if idx >= b.Clusters { // the snapshot is from before an expansion
			break
		}
		if c, ok := b.Map[idx]; ok {
			return v.s.disk.read(p, int64(c)*v.s.cluster+at)
		}
		if b.Esnap != "" {
			src := v.esnap(b)
			if src == nil {
				return eio
			}
			// Beyond the end of the source SPDK reads nothing and fails.
			off := int64(idx)*v.s.cluster + at
			if off+int64(len(p)) > src.bytes() {
				return einval
			}
			return src.read(o, p, off)
		}
	}
	clear(p)
	return nil
}

// write writes to b, allocating and copying clusters as needed.
func (v volume) write(o *op, b *blob, p []byte, off int64) error {
	if b.ReadOnly {
		return eperm
	}
	if off < 0 || off+int64(len(p)) > int64(b.Clusters)*v.s.cluster {
		return einval
	}
	for len(p) > 0 {
		idx, at := uint32(off/v.s.cluster), off%v.s.cluster
		n := int(min(int64(len(p)), v.s.cluster-at))
		if _, ok := b.Map[idx]; !ok {
			if err := v.touch(o, b, idx); err != nil {
				return err
			}
		}
		if err := v.s.disk.write(p[:n], int64(b.Map[idx])*v.s.cluster+at); err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// discard frees the clusters that are covered whole, of a thin blob that stands on nothing.
// Of what stays the disk is told.
func (v volume) discard(b *blob, off, n int64) error {
	if b.ReadOnly {
		return eperm
	}
	if off < 0 || off+n > int64(b.Clusters)*v.s.cluster {
		return einval
	}
	frees := b.Thin && b.Parent == 0 && b.Esnap == ""
	for n > 0 {
		idx, at := uint32(off/v.s.cluster), off%v.s.cluster
		part := min(n, v.s.cluster-at)
		switch c, has := b.Map[idx]; {
		case !has:
		case frees && part == v.s.cluster:
			delete(b.Map, idx)
			v.s.log.add(record{Op: "free", ID: b.ID, Pairs: []uint32{idx, c}})
			v.s.release(c)
		default:
			if err := v.s.disk.discard(int64(c)*v.s.cluster+at, part); err != nil {
				return err
			}
		}
		off, n = off+part, n-part
	}
	return nil
}

// touch allocates a cluster and fills it from what b stands on. Without a
// parent it is left as it was found on the disk.
func (v volume) touch(o *op, b *blob, idx uint32) error {
	if v.s.free() == 0 {
		return enospc
	}
	stands := b.Parent != 0 || b.Esnap != ""
	var old []byte
	if stands {
		old = make([]byte, v.s.cluster)
		if err := v.readCluster(o, b, idx, 0, old); err != nil {
			return err
		}
	}
	c := v.s.take()
	if stands || v.s.zeroes {
		if old == nil {
			old = make([]byte, v.s.cluster)
		}
		if err := v.s.disk.write(old, int64(c)*v.s.cluster); err != nil {
			return err
		}
	}
	if b.Map == nil {
		b.Map = map[uint32]uint32{}
	}
	b.Map[idx] = c
	v.s.log.add(record{Op: "alloc", ID: b.ID, Pairs: []uint32{idx, c}})
	return nil
}

// inflate copies into b what it stands on: everything, or only what its
// direct parent has.
func (v volume) inflate(o *op, b *blob, all bool) error {
	s := v.s
	if b.Parent == 0 && b.Esnap == "" && !all {
		return einval
	}
	all = all || b.Esnap != ""
	if !b.Thin {
		return nil
	}
	parent := s.blobs[b.Parent]
	needs := func(i uint32) bool {
		if _, ok := b.Map[i]; ok {
			return false
		}
		if all {
			return true
		}
		_, ok := parent.Map[i]
		return ok
	}
	var need uint32
	for i := range b.Clusters {
		if needs(i) {
			need++
		}
	}
	if need > s.free() {
		return enospc
	}
	for i := range b.Clusters {
		if needs(i) {
			if err := v.touch(o, b, i); err != nil {
				return err
			}
		}
	}
	if all {
		b.Thin = false
		s.setParent(b, 0, "")
	} else {
		s.setParent(b, parent.Parent, parent.Esnap)
	}
	s.put(b)
	return nil
}
