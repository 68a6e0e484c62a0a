package schema

import (
	"slices"
	"strings"

	"strata/amount"
)

// from reads the snapshot from which a volume is cloned, or what of an archive, or which
// file, it is made of.
func (s *spot) from() (*From, *Restore, *Image) {
	if s == nil {
		return nil, nil, nil
	}
	o, ok := s.object(`a struct such as {volume: "golden", snapshot: "v1"}, {archive: "main", volume: "db"}, or {image: {file: "/debian.raw", sha256: "…"}}`)
	if !ok {
		return nil, nil, nil
	}
	switch {
	case o.field("image") != nil:
		return nil, nil, o.image()
	case o.field("archive") != nil:
		return nil, o.restore(), nil
	}
	o.only(fromFields)
	f := &From{}
	f.Volume, _ = o.required("volume", `"golden"`).ownName("volume")
	f.Snapshot, _ = o.required("snapshot", `"v1"`).ownName("snapshot")
	f.Detach = o.field("detach").boolean()
	return f, nil, nil
}

// cloned checks the clones, when all volumes have been read.
func (r *relations) cloned() {
	if r == nil || len(r.clones) == 0 {
		return
	}
	var sources []string // volumes that can be cloned
	for _, v := range r.cfg.Volumes {
		if len(v.Snapshots) > 0 {
			sources = append(sources, v.Name)
		}
	}
	for _, v := range r.cfg.Volumes {
		if o, ok := r.clones[v.Name]; ok {
			r.clone(v, o, sources)
		}
	}
	r.circles()
}

// clone checks a clone against the volume that it starts from.
func (r *relations) clone(v *Volume, o object, sources []string) {
	from := o.field("from").placement()
	name := v.From.Volume
	source := r.cfg.Volume(name)
	switch {
	case name == v.Name:
		from.field("volume").wrong("", "is the volume itself; head reverts a volume to a snapshot of its own")
		return
	case source == nil && r.cfg.Whole(name) != nil:
		from.field("volume").wrong("", "is laid out over parts, and those cannot be cloned together yet")
		return
	case source == nil:
		others := slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return s == v.Name })
		from.field("volume").wrong(Hint(name, "volumes with snapshots", others), "%q: there is no volume of that name", name)
		return
	case r.unread[name]:
		return
	}
	if !slices.Contains(source.Snapshots, v.From.Snapshot) {
		from.field("snapshot").noSnapshot(v.From.Snapshot, source)
	}
	r.alike(v, source, o)
	if v.Size < source.Size {
		o.field("size").wrong("", "is %s, less than the %s of volume %s, from which it is cloned", SizeText(v.Size), SizeText(source.Size), name)
	}
	if at := o.countSpot(); len(v.Replicas.On) > 0 && len(source.Replicas.On) > 0 {
		o.onlyWhere(source)
	} else if v.Replicas.Count > source.Replicas.Count {
		at.wrong("", "%s, but volume %s, from which it is cloned, has only %d", isCount(v.Replicas.Count, at == o.spot), name, source.Replicas.Count)
	}
}

// onlyWhere reports the replicas of a clone on nodes where source has none.
func (o object) onlyWhere(source *Volume) {
	var where []string
	for _, n := range source.Replicas.On {
		where = append(where, string(n))
	}
	elems, _ := o.field("replicas").placement().field("on").list("")
	for _, e := range elems {
		if n, _ := e.value.String(); !slices.Contains(where, n) {
			e.wrong("its replicas are on "+amount.List(where), "%q: volume %s, from which this one is cloned, has no replica there", n, source.Name)
		}
	}
}

// circles reports volumes that are cloned from each other, each circle once.
func (r *relations) circles() {
	walks := map[string]int{} // the walk along from that came by first
	for i, start := range r.cfg.Volumes {
		name := start.Name
		for r.isClone(name) && walks[name] == 0 {
			walks[name] = i + 1
			name = r.cfg.Volume(name).From.Volume
		}
		if source := r.cfg.Volume(name); walks[name] == i+1 && source.From.Volume != name {
			r.circle(source)
		}
	}
}

func (r *relations) isClone(name string) bool {
	_, ok := r.clones[name]
	return ok
}

// circle reports the circle of clones in which v is.
func (r *relations) circle(v *Volume) {
	texts := []string{v.Name + " is cloned from " + v.From.Volume}
	for name := v.From.Volume; name != v.Name; {
		next := r.cfg.Volume(name).From.Volume
		texts = append(texts, name+" from "+next)
		name = next
	}
	at := r.clones[v.Name].field("from").placement().field("volume")
	at.wrong("one of them must be no clone", "goes in a circle: %s", strings.Join(texts, ", "))
}
