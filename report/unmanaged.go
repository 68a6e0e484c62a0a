package report

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// unmanaged lists what is on a node and not the cluster's: strata never
// touches it.
func unmanaged(cfg *schema.Config, conf *schema.Node, n *state.Node) []Unmanaged {
	if n == nil || n.Unknown != "" {
		return nil
	}
	var out []Unmanaged
	add := func(kind, name string) { out = append(out, Unmanaged{conf.Name, kind, name}) }
	pools := map[string]bool{}
	for _, p := range conf.Pools {
		pools[p.Lvstore] = true
	}
	for name := range n.Lvstores {
		if !pools[name] {
			add("lvstore", name)
		}
	}
	for alias, l := range n.Lvols {
		_, reminder := lineage.ParseMember(l.Name)
		if l.Parsed == nil && !reminder && l.Name != lineage.Trial {
			add("lvol", alias)
		}
	}
	for name := range n.Raids {
		if _, ok := cfg.Cluster.ParseRaid(name); !ok {
			add("raid", name)
		}
	}
	for nqn := range n.Subsystems {
		_, link := cfg.Cluster.ParseLink(nqn)
		_, restore := cfg.Cluster.ParseRestore(nqn)
		if _, export := cfg.Cluster.ParseExport(nqn); !link && !export && !restore {
			add("subsystem", string(nqn))
		}
	}
	for name, c := range n.Controllers {
		_, link := cfg.Cluster.ParseLink(c.NQN)
		_, image := cfg.Cluster.ParseImage(c.NQN)
		if _, backup := cfg.Cluster.ParseBackup(c.NQN); !link && !backup && !image &&
			!slices.ContainsFunc(conf.Pools, func(p *schema.Pool) bool { return name == cfg.Cluster.Disk(p.Name) }) {
			add("controller", name)
		}
	}
	for name, d := range n.Disks {
		if !slices.ContainsFunc(conf.Pools, func(p *schema.Pool) bool {
			lvs := n.Lvstores[p.Lvstore]
			return d.Path == p.Path && p.Path != "" || name == cfg.Cluster.Disk(p.Name) || lvs != nil && lvs.Base == name
		}) {
			add("disk", name)
		}
	}
	for _, name := range n.OtherBdevs {
		add("bdev", name)
	}
	slices.SortFunc(out, func(a, b Unmanaged) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return out
}
