package schema

import (
	"slices"
	"strings"

	"strata/lineage"
)

// volumes reads the volumes into cfg, after its nodes.
func (s *spot) volumes(cfg *Config, rel *relations) {
	for _, f := range s.each("volume", "{db: {size: 64Gi}}") {
		before := len(f.doc.problems)
		v, w, laid, o := f.volume(cfg)
		good := len(f.doc.problems) == before && f.value.Err() == nil
		if w == nil {
			cfg.Volumes = append(cfg.Volumes, v)
			rel.volume(v, o, good)
			continue
		}
		parts := w.lay(v, laid)
		cfg.Wholes = append(cfg.Wholes, w)
		cfg.Volumes = append(cfg.Volumes, parts...)
		rel.whole(w, o, parts, laid, good)
	}
	slices.SortStableFunc(cfg.Volumes, func(a, b *Volume) int { return strings.Compare(a.Name, b.Name) })
	rel.cloned()
}

// volume reads a volume; one that is laid out comes with its layout and its parts.
func (s *spot) volume(cfg *Config) (v *Volume, w *Whole, laid []laidPart, o object) {
	v = &Volume{
		Name:        s.name,
		Replicas:    Replicas{Count: defaultReplicas},
		Export:      Export{Kind: ExportNone},
		Consistency: ConsistencyBarrier,
		Auto:        cfg.Auto,
		Pos:         s.pos(),
		Field:       map[string]Pos{},
	}
	o, ok := s.object("a struct with at least a size")
	if !ok {
		return v, nil, nil, o
	}
	o.only(volumeFields)
	for _, f := range o.fields {
		v.Field[f.name] = f.pos()
	}
	o.field("replicas").replicas(&v.Replicas)
	engine, _ := o.field("engine").ownName("node")
	v.Engine = lineage.Node(engine)
	v.replace(cfg)
	o.field("export").export(&v.Export)
	v.Protect = o.field("protect").boolean()
	v.Labels = o.field("labels").labels()
	o.snapshots(v)
	v.From, v.Restore, v.Image = o.field("from").from()
	o.adopt(v)
	v.Group, _ = o.field("group").ownName("group")
	v.ResyncSec, _ = o.field("resync").interval()
	o.field("limits").limits(&v.Limits)
	v.Encryption = o.field("encryption").encryption()
	o.field("auto").auto(&v.Auto)
	v.Failover = o.field("failover").failover()
	v.Backup = o.field("backup").backup()
	v.Scrub = o.field("scrub").scrub()
	w, laid = o.layout(v)
	return v, w, laid, o
}
