package sim

import (
	"cmp"
	"math"
	"strings"

	"github.com/google/uuid"
)

func init() {
	register(
		writes("bdev_lvol_create", (*process).createLvol),
		writes("bdev_lvol_delete", (*process).deleteLvol),
		writes("bdev_lvol_rename", (*process).renameLvol),
		writes("bdev_lvol_resize", (*process).resizeLvol),
		writes("bdev_lvol_set_read_only", (*process).setReadOnly),
	)
}

// lvol finds the lvol of a bdev.
func (p *process) lvol(name string) (*lvol, error) {
	if b := p.bdevs.find(name); b != nil {
		if v, ok := b.dev.(*lvol); ok {
			return v, nil
		}
	}
	return nil, errno(enodev)
}

// freeLvolName says why a store cannot have an lvol of that name.
func (l *lvstore) freeLvolName(name string) error {
	switch {
	case len(name) == 0 || len(name) > l.p.build().nameMax:
		return einval
	case l.names[name] != nil:
		return eexist
	}
	return nil
}

func (p *process) createLvol(q *struct {
	UUID  *string `json:"uuid"`
	Store *string `json:"lvs_name"`
	Name  string  `json:"lvol_name"`
	MiB   uint64  `json:"size_in_mib"`
	Thin  bool    `json:"thin_provision"`
	Clear string  `json:"clear_method"`
}) (any, error) {
	l, err := p.lvstore(q.UUID, q.Store)
	if err != nil {
		return nil, err
	}
	if !clearMethod(q.Clear) {
		return nil, &Error{-int(einval), "Invalid clean_method option"}
	}
	if err := l.freeLvolName(q.Name); err != nil {
		return nil, asErrno(err)
	}
	if l.creating == maxCreating {
		return nil, coded(codeInvalidParams, enomem)
	}
	s := l.store
	n := s.clustersFor(q.MiB << 20)
	if n > math.MaxUint32/2 || (!q.Thin && n > uint64(s.free())) {
		return nil, coded(codeInvalidParams, enospc)
	}
	b := s.newBlob(q.Name)
	b.Thin, b.Clusters = q.Thin, uint32(n)
	s.log.begin()
	s.put(b)
	if !q.Thin {
		s.alloc(b, 0, b.Clusters)
	}
	s.log.end()
	l.bringUp(l.add(b))
	l.creating++
	p.soon(1, func() { l.creating-- })
	return b.UUID, nil
}

// maxCreating is how many lvols of a store may be on their way at once.
const maxCreating = 512

// deletable finds an lvol for deletion, which may be degraded.
func (p *process) deletable(name string) *lvol {
	if v, err := p.lvol(name); err == nil {
		return v
	}
	_, notUUID := uuid.Parse(name)
	store, short, _ := strings.Cut(name, "/")
	for _, l := range p.lvs {
		if l.store.name == store && l.names[short] != nil {
			return l.names[short]
		}
		if notUUID != nil {
			continue
		}
		for _, v := range l.lvols {
			if strings.EqualFold(v.blob.UUID, name) {
				return v
			}
		}
	}
	return nil
}

func (p *process) deleteLvol(q *named) (any, error) {
	v := p.deletable(q.Name)
	if v == nil {
		return nil, errno(enodev)
	}
	if len(v.blob.children) > 1 {
		return nil, coded(codeInternal, eperm)
	}
	if v.orphaned() || v.unregistered() {
		return p.crash()
	}
	finish := func() (any, error) {
		if v.blob.locked {
			// SPDK has unregistered the bdev by the time it finds out.
			v.hidden = true
			return nil, coded(codeInternal, ebusy)
		}
		before := len(v.lvs.store.leaked)
		v.lvs.destroy(v)
		if len(v.lvs.store.leaked) > before {
			return nil, coded(codeInternal, eio)
		}
		return true, nil
	}
	if v.bdev == nil {
		return finish()
	}
	b := v.bdev
	v.bdev = nil
	gone := false
	p.unregister(b, func() { gone = true })
	if gone {
		return finish()
	}
	return nil, &later{ready: func() bool { return gone }, done: func(bool) (any, error) { return finish() }}
}

// destroy deletes the blob of v and lets its only clone have what it had.
func (l *lvstore) destroy(v *lvol) {
	if len(v.blob.children) == 1 {
		if child := l.byID[v.blob.children[0]]; child != nil {
			l.adopt(v, child)
		}
	}
	l.store.drop(v.blob)
	l.drop(v)
}

func (p *process) renameLvol(q *struct {
	Old string `json:"old_name"`
	New string `json:"new_name"`
}) (any, error) {
	v, err := p.lvol(q.Old)
	if err != nil {
		return nil, err
	}
	// Adding an alias that is there already fails, too.
	alias := v.lvs.store.name + "/" + q.New
	if v.bdev.alias == alias || !p.realias(v.bdev, alias) || v.lvs.names[q.New] != nil && v.lvs.names[q.New] != v {
		return nil, coded(codeInvalidParams, eexist)
	}
	if v.blob.Name == q.New { // a renamed lvstore had left the bdev its old alias
		return true, nil
	}
	if v.blob.ReadOnly && !p.build().renamesSnapshots {
		// Only now does SPDK find out; the bdev keeps the new alias.
		return nil, coded(codeInvalidParams, eperm)
	}
	if most := p.build().nameMax; len(q.New) > most {
		q.New = q.New[:most]
	}
	delete(v.lvs.names, v.blob.Name)
	old := v.blob.Name
	v.blob.Name = q.New
	v.lvs.names[q.New] = v
	if v.blob.ReadOnly {
		// The new name reaches the disk with whatever is written of the blob next.
		v.blob.onDisk = cmp.Or(v.blob.onDisk, old)
		return true, nil
	}
	v.lvs.store.put(v.blob)
	return true, nil
}

func (p *process) resizeLvol(q *struct {
	Name string `json:"name"`
	MiB  uint64 `json:"size_in_mib"`
}) (any, error) {
	v, err := p.lvol(q.Name)
	if err != nil {
		return nil, err
	}
	if v.blob.ReadOnly {
		return nil, coded(codeInvalidParams, eperm)
	}
	n := v.lvs.store.clustersFor(q.MiB << 20)
	if n > math.MaxUint32/2 {
		return nil, coded(codeInvalidParams, enomem)
	}
	if err := v.lvs.store.resize(v.blob, uint32(n)); err != nil {
		return nil, asInvalid(err)
	}
	blocks := v.lvs.blocks(v.blob.Clusters)
	if blocks < v.bdev.numBlocks && len(v.bdev.users) > 0 {
		// The blob is cut off by the time SPDK finds out that the bdev is in use.
		return nil, coded(codeInvalidParams, ebusy)
	}
	v.bdev.resize(blocks)
	return true, nil
}

func (p *process) setReadOnly(q *named) (any, error) {
	v, err := p.lvol(q.Name)
	if err != nil {
		return nil, err
	}
	v.blob.ReadOnly = true
	v.lvs.store.put(v.blob)
	return true, nil
}
