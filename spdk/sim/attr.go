package sim

// Methods of Longhorn's fork: attributes of lvols, and clones let go of.

func init() {
	register(
		writes("bdev_lvol_set_xattr", (*process).setAttr),
		reads("bdev_lvol_get_xattr", (*process).getAttr),
		writes("bdev_lvol_detach_parent", (*process).detachParent),
	)
}

type attrQuery struct {
	Lvol  string `json:"name"`
	Name  string `json:"xattr_name"`
	Value string `json:"xattr_value"`
}

func (p *process) setAttr(q *attrQuery) (any, error) {
	v, err := p.lvol(q.Lvol)
	if err != nil {
		return nil, err
	}
	if v.blob.ReadOnly {
		return nil, coded(codeInvalidParams, eperm)
	}
	if v.blob.Attrs == nil {
		v.blob.Attrs = map[string]string{}
	}
	v.blob.Attrs[q.Name] = q.Value
	v.lvs.store.put(v.blob)
	return true, nil
}

func (p *process) getAttr(q *attrQuery) (any, error) {
	v, err := p.lvol(q.Lvol)
	if err != nil {
		return nil, err
	}
	value, ok := v.blob.Attrs[q.Name]
	if !ok {
		return nil, coded(codeInternal, enoent)
	}
	return value, nil
}

// detachParent leaves a clone with its own clusters only.
func (p *process) detachParent(q *named) (any, error) {
	v, err := p.lvol(q.Name)
	if err != nil {
		return nil, err
	}
	if v.blob.Parent == 0 && v.blob.Esnap == "" {
		return nil, coded(codeInvalidParams, einval)
	}
	v.lvs.forget(v)
	v.lvs.store.setParent(v.blob, 0, "")
	v.lvs.store.put(v.blob)
	return true, nil
}
