package sim

import (
	"encoding/json"
	"slices"
	"strings"
)

func init() {
	register(
		writes("bdev_lvol_create_lvstore", (*process).createLvstore),
		writes("bdev_lvol_delete_lvstore", (*process).deleteLvstore),
		writes("bdev_lvol_rename_lvstore", (*process).renameLvstore),
		reads("bdev_lvol_get_lvstores", (*process).getLvstores),
		reads("bdev_lvol_get_lvols", (*process).getLvols),
	)
}

func (p *process) createLvstore(q *struct {
	Bdev    string `json:"bdev_name"`
	Name    string `json:"lvs_name"`
	Cluster uint32 `json:"cluster_sz"`
	Clear   string `json:"clear_method"`
	Ratio   uint32 `json:"num_md_pages_per_cluster_ratio"`
}) (any, error) {
	if !clearMethod(q.Clear) {
		return nil, &Error{-int(einval), "Invalid clear_method parameter"}
	}
	if len(q.Name) == 0 || len(q.Name) > p.build().nameMax {
		return nil, errno(einval)
	}
	b := p.bdevs.find(q.Bdev)
	if b == nil {
		return nil, errno(enodev)
	}
	// The base is opened for writing first, which a claim forbids.
	if b.claim != claimNone {
		return nil, errno(eperm)
	}
	if q.Cluster == 0 {
		q.Cluster = 4 << 20
	}
	if q.Ratio == 0 {
		q.Ratio = 100
	}
	if q.Cluster < b.blockSize || q.Cluster%b.blockSize != 0 {
		return nil, errno(einval)
	}
	if p.lvstoreNamed(q.Name) != nil {
		return nil, errno(eexist)
	}
	d, ok := b.dev.(*local)
	if !ok {
		return nil, errno(einval)
	}
	s := format(d.disk, b.blockSize, int64(q.Cluster), q.Ratio, newUUID(), q.Name)
	if s == nil {
		return nil, coded(codeInvalidParams, enomem)
	}
	if !strings.EqualFold(q.Clear, "none") && (d.disk.trims || d.disk.punches) {
		d.disk.blank()
	}
	d.disk.store = s
	if err := s.save(); err != nil {
		return nil, coded(codeInvalidParams, eio)
	}
	p.load(b, s)
	return s.uuid, nil
}

func clearMethod(m string) bool {
	switch strings.ToLower(m) {
	case "", "none", "unmap", "write_zeroes":
		return true
	}
	return false
}

// lvstore finds a store by exactly one of UUID and name.
func (p *process) lvstore(uuid, name *string) (*lvstore, error) {
	if (uuid == nil) == (name == nil) {
		return nil, errno(einval)
	}
	for _, l := range p.lvs {
		if (uuid != nil && l.store.uuid == *uuid) || (name != nil && l.store.name == *name) {
			if l.removing {
				break
			}
			return l, nil
		}
	}
	return nil, errno(enodev)
}

type whichStore struct {
	UUID *string `json:"uuid"`
	Name *string `json:"lvs_name"`
}

func (p *process) deleteLvstore(q *struct {
	whichStore
	given
}) (any, error) {
	if !q.given.params {
		return nil, errDecode
	}
	l, err := p.lvstore(q.UUID, q.Name)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(l.lvols, func(v *lvol) bool { return v.orphaned() || v.unregistered() }) {
		return p.crash()
	}
	gone := false
	l.unload(func() { gone = true; l.base.close(l) })
	finish := func() (any, error) {
		if err := l.store.erase(); err != nil {
			return nil, coded(codeInvalidParams, eio)
		}
		return true, nil
	}
	if gone {
		return finish()
	}
	return nil, &later{ready: func() bool { return gone }, done: func(bool) (any, error) { return finish() }}
}

func (p *process) renameLvstore(q *struct {
	Old string `json:"old_name"`
	New string `json:"new_name"`
}) (any, error) {
	l := p.lvstoreNamed(q.Old)
	if l == nil {
		return nil, &Error{-int(enoent), "Lvol store " + q.Old + " not found"}
	}
	switch {
	case l.removing:
		return nil, coded(codeInvalidParams, enodev)
	case q.Old == q.New:
		return true, nil
	case slices.ContainsFunc(p.lvs, func(x *lvstore) bool { return x.store.name == q.New || x.renamed == q.New }):
		return nil, coded(codeInvalidParams, eexist)
	}
	if most := p.build().nameMax; len(q.New) > most {
		q.New = q.New[:most]
	}
	l.renamed, l.store.name = q.New, q.New
	l.store.log.add(record{Op: "store", Store: l.store.header()})
	for _, v := range l.lvols {
		if v.bdev == nil && !v.hidden {
			// The new name is on the disk when SPDK looks for the alias of a
			// bdev that is not there.
			return p.crash()
		}
		if v.bdev != nil {
			p.realias(v.bdev, q.New+"/"+v.blob.Name)
		}
	}
	return true, nil
}

func (p *process) getLvstores(q *struct {
	whichStore
	given
}) (any, error) {
	ls := p.lvs
	if q.given.params {
		l, err := p.lvstore(q.UUID, q.Name)
		if err != nil {
			return nil, err
		}
		ls = []*lvstore{l}
	}
	out := []byte{'['}
	for _, l := range ls {
		s := l.store
		out = append(item(out), '{')
		out = text(out, "uuid", s.uuid)
		out = text(out, "name", s.name)
		out = text(out, "base_bdev", l.base.name)
		out = number(out, "total_data_clusters", uint64(s.total))
		out = number(out, "free_clusters", uint64(s.free()))
		out = number(out, "block_size", uint64(s.block))
		out = number(out, "cluster_size", uint64(s.cluster))
		if p.build().recent {
			out = number(out, "max_growable_size", s.growMax)
		}
		out = append(out, '}')
	}
	return json.RawMessage(append(out, ']')), nil
}

func (p *process) getLvols(q *struct {
	UUID *string `json:"lvs_uuid"`
	Name *string `json:"lvs_name"`
	given
}) (any, error) {
	ls := p.lvs
	if q.given.params {
		l, err := p.lvstore(q.UUID, q.Name)
		if err != nil {
			return nil, err
		}
		ls = []*lvstore{l}
	}
	n := 0
	for _, l := range ls {
		n += len(l.lvols)
	}
	out := make([]byte, 1, 64+420*n)
	out[0] = '['
	for _, l := range ls {
		for _, v := range l.lvols {
			if !v.hidden {
				out = v.dump(out)
			}
		}
	}
	return json.RawMessage(append(out, ']')), nil
}

func (v *lvol) dump(out []byte) []byte {
	s, b := v.lvs.store, v.blob
	out = append(item(out), '{')
	out = text(out, "alias", s.name+"/"+b.Name)
	out = text(out, "uuid", b.UUID)
	out = text(out, "name", b.Name)
	build := v.lvs.p.build()
	if build.creationTime {
		out = text(out, "creation_time", b.created())
	}
	out = boolean(out, "is_thin_provisioned", b.Thin)
	out = boolean(out, "is_snapshot", b.Snapshot)
	out = boolean(out, "is_clone", b.Parent != 0)
	out = boolean(out, "is_esnap_clone", b.Esnap != "")
	out = boolean(out, "is_degraded", v.degraded())
	if build.recent {
		out = number(out, "num_allocated_clusters", uint64(len(b.Map)))
	}
	out = append(key(out, "lvs"), '{')
	out = text(out, "name", s.name)
	return append(text(out, "uuid", s.uuid), '}', '}')
}
