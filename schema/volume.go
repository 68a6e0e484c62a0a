package schema

import "strata/lineage"

// volumes reads the volumes into cfg, after its nodes.
func (s *spot) volumes(cfg *Config, rel *relations) {
	for _, f := range s.each("volume", "{db: {size: 64Gi}}") {
		before := len(f.doc.problems)
		v, o := f.volume(cfg)
		cfg.Volumes = append(cfg.Volumes, v)
		rel.volume(v, o, len(f.doc.problems) == before && f.value.Err() == nil)
	}
	rel.cloned()
}

func (s *spot) volume(cfg *Config) (*Volume, object) {
	v := &Volume{
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
		return v, o
	}
	o.only(volumeFields)
	for _, f := range o.fields {
		v.Field[f.name] = f.pos()
	}
	v.Size, _ = o.required("size", "64Gi").bytes()
	o.field("replicas").replicas(&v.Replicas)
	engine, _ := o.field("engine").ownName("node")
	v.Engine = lineage.Node(engine)
	v.replace(cfg)
	o.field("export").export(&v.Export)
	v.Protect = o.field("protect").boolean()
	v.Labels = o.field("labels").labels()
	o.snapshots(v)
	v.From = o.field("from").from()
	o.adopt(v)
	v.Group, _ = o.field("group").ownName("group")
	v.ResyncSec, _ = o.field("resync").interval()
	o.field("limits").limits(&v.Limits)
	o.field("auto").auto(&v.Auto)
	v.Failover = o.field("failover").failover()
	return v, o
}
