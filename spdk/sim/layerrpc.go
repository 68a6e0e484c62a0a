package sim

// Methods that change which layers an lvol stands on.

func init() {
	register(
		writes("bdev_lvol_snapshot", (*process).snapshotLvol),
		writes("bdev_lvol_clone", (*process).cloneLvol),
		writes("bdev_lvol_clone_bdev", (*process).cloneBdev),
		writes("bdev_lvol_set_parent", (*process).setParent),
		writes("bdev_lvol_set_parent_bdev", (*process).setParentBdev),
		writes("bdev_lvol_inflate", func(p *process, q *named) (any, error) { return p.inflate(q, true) }),
		writes("bdev_lvol_decouple_parent", func(p *process, q *named) (any, error) { return p.inflate(q, false) }),
	)
}

func (p *process) snapshotLvol(q *struct {
	Lvol string `json:"lvol_name"`
	Name string `json:"snapshot_name"`
}) (any, error) {
	v, err := p.lvol(q.Lvol)
	if err != nil {
		return nil, err
	}
	if err := v.lvs.freeLvolName(q.Name); err != nil {
		return nil, asInvalid(err)
	}
	if v.blob.ReadOnly {
		return nil, coded(codeInvalidParams, einval)
	}
	b := v.lvs.store.snapshot(v.blob, q.Name)
	snap := v.lvs.add(b)
	v.lvs.adopt(v, snap)
	v.lvs.bringUp(snap)
	return b.UUID, nil
}

func (p *process) cloneLvol(q *struct {
	Snapshot string `json:"snapshot_name"`
	Name     string `json:"clone_name"`
}) (any, error) {
	v, err := p.lvol(q.Snapshot)
	if err != nil {
		return nil, err
	}
	if err := v.lvs.freeLvolName(q.Name); err != nil {
		return nil, asInvalid(err)
	}
	if !v.blob.ReadOnly {
		return nil, coded(codeInvalidParams, einval)
	}
	s := v.lvs.store
	b := s.newBlob(q.Name)
	b.Clusters, b.Parent = v.blob.Clusters, v.blob.ID
	v.blob.children = append(v.blob.children, b.ID)
	s.log.begin()
	v.blob.Snapshot = true
	s.put(v.blob)
	s.put(b)
	s.log.end()
	v.lvs.bringUp(v.lvs.add(b))
	return b.UUID, nil
}

func (p *process) cloneBdev(q *struct {
	Bdev  string `json:"bdev"`
	Store string `json:"lvs_name"`
	Name  string `json:"clone_name"`
}) (any, error) {
	l := p.lvstoreNamed(q.Store)
	if l == nil {
		return nil, &Error{codeInvalidParams, "lvs does not exist"}
	}
	src := p.bdevs.find(q.Bdev)
	if src == nil {
		return nil, &Error{codeInvalidParams, "bdev does not exist"}
	}
	if v, ok := src.dev.(*lvol); ok && v.lvs == l {
		return nil, &Error{codeInvalidParams, "bdev is an lvol in same lvs as clone; use bdev_lvol_clone instead"}
	}
	if err := l.freeLvolName(q.Name); err != nil {
		return nil, asInvalid(err)
	}
	s := l.store
	if src.bytes()%s.cluster != 0 {
		return nil, coded(codeInvalidParams, einval)
	}
	b := s.newBlob(q.Name)
	b.Clusters, b.Esnap = uint32(src.bytes()/s.cluster), src.uuid
	s.put(b)
	l.bringUp(l.add(b))
	return b.UUID, nil
}

func (p *process) setParent(q *struct {
	Lvol   string `json:"lvol_name"`
	Parent string `json:"parent_name"`
}) (any, error) {
	v, err := p.lvol(q.Lvol)
	if err != nil {
		return nil, err
	}
	parent, err := p.lvol(q.Parent)
	if err != nil {
		return nil, err
	}
	refuse := func(n error) (any, error) { return nil, asInvalid(n) }
	switch {
	case parent.lvs != v.lvs: // a blob id of one store means nothing in another
		return refuse(enoent)
	case v == parent:
		return refuse(einval)
	case v.blob.Parent == parent.blob.ID:
		return refuse(eexist)
	case !v.blob.Thin || !parent.blob.Snapshot || v.blob.Clusters != parent.blob.Clusters:
		return refuse(einval)
	case v.blob.locked || parent.blob.locked:
		return refuse(ebusy)
	}
	s := v.lvs.store
	s.setParent(v.blob, parent.blob.ID, "")
	s.put(v.blob)
	v.lvs.forget(v)
	return true, nil
}

func (p *process) setParentBdev(q *struct {
	Lvol   string `json:"lvol_name"`
	Parent string `json:"parent_name"`
}) (any, error) {
	v, err := p.lvol(q.Lvol)
	if err != nil {
		return nil, err
	}
	src := p.bdevs.find(q.Parent)
	switch {
	case src == nil:
		return nil, coded(codeInvalidParams, enodev)
	case src == v.bdev:
		return nil, coded(codeInvalidParams, einval)
	case v.blob.Esnap == src.uuid:
		return nil, coded(codeInvalidParams, eexist)
	case !v.blob.Thin || src.bytes()%v.lvs.store.cluster != 0:
		return nil, coded(codeInvalidParams, einval)
	}
	v.lvs.forget(v)
	v.lvs.store.setParent(v.blob, 0, src.uuid)
	v.lvs.store.put(v.blob)
	v.lvs.bringUp(v)
	return true, nil
}

func (p *process) inflate(q *named, all bool) (any, error) {
	v, err := p.lvol(q.Name)
	if err != nil {
		return nil, err
	}
	if v.blob.locked {
		return nil, coded(codeInvalidParams, ebusy)
	}
	parent := v.lvs.byID[v.blob.Parent]
	o := &op{}
	attempt := func() error { return v.volume().inflate(o, v.blob, all) }
	finish := func(err error) (any, error) {
		o.end(p.t.c)
		if err != nil {
			return nil, asInvalid(err)
		}
		v.lvs.forget(v)
		if v.blob.Esnap != "" && parent != nil {
			v.lvs.bringUp(v)
		}
		return true, nil
	}
	err = attempt()
	if err != errStalled {
		return finish(err)
	}
	return nil, &later{
		ready: func() bool { err = attempt(); return err != errStalled },
		done:  func(bool) (any, error) { return finish(err) },
	}
}
