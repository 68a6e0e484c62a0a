package draft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// volume is one that was found and is not configured.
type volume struct {
	id          lineage.Volume
	size        int64
	on          []lineage.Node // where it has anything of a replica
	pool        string         // "" where there is no choice
	engine      lineage.Node   // "" when none runs
	export      schema.Export
	limits      state.Limits // that hosts have
	snapshots   []string
	consistency schema.Consistency
	resync      string // "" for none
	from        *schema.From
	notes       []string
}

func (v *volume) notef(format string, args ...any) {
	v.notes = append(v.notes, fmt.Sprintf(format, args...))
}

// volumes looks for volumes that are not configured.
func (d *drafter) volumes() {
	within := d.within()
	for _, name := range within.Volumes() {
		if d.cfg.Volume(name) != nil {
			continue
		}
		inc, verdict := d.pick(within, name)
		if inc == nil {
			continue
		}
		if v := d.volume(inc, verdict); v != nil {
			d.found = append(d.found, v)
			d.out.Volumes = append(d.out.Volumes, name)
		}
	}
	for _, v := range d.found {
		d.clone(within, v)
	}
}

// pick finds the incarnation of a volume that is in use: the only one that has
// a head or, of several, the only one that is served.
func (d *drafter) pick(s *state.Snapshot, name string) (*state.Incarnation, state.Verdict) {
	var with, running []*state.Incarnation
	var ids []string
	for _, id := range s.Incarnations(name) {
		inc := s.Incarnation(d.cfg.Cluster, id)
		served := s.Judge(inc, d.question(inc)).Engine != ""
		if len(inc.Heads) > 0 || served {
			with = append(with, inc)
			ids = append(ids, id.String())
		}
		if served {
			running = append(running, inc)
		}
	}
	switch {
	case len(with) == 0:
		d.lack("volume "+name, "only layers or exports of it are left, and no head")
		return nil, state.Verdict{}
	case len(with) > 1 && len(running) != 1:
		d.lack("volume "+name, "there are %d incarnations of it (%s), and it cannot be told which is in use", len(with), strings.Join(ids, ", "))
		return nil, state.Verdict{}
	case len(with) > 1:
		with = running
	}
	return with[0], s.Judge(with[0], d.question(with[0]))
}

// question is asked without a configuration: as many replicas as heads tell of.
func (d *drafter) question(inc *state.Incarnation) state.Question {
	q := state.Question{Cluster: d.cfg.Cluster, Hidden: d.unread()}
	nodes := map[lineage.Node]bool{}
	for _, h := range inc.Heads {
		nodes[h.Node] = true
		q.Replicas = max(q.Replicas, h.Name.Legs, len(nodes))
	}
	return q
}

// volume tells what a volume's configuration must have been.
func (d *drafter) volume(inc *state.Incarnation, verdict state.Verdict) *volume {
	v := &volume{id: inc.Volume, engine: verdict.Engine}
	about := "volume " + v.id.Name
	for _, l := range verdict.Legs {
		if d.cfg.Node(l.Node) == nil {
			d.lack(about, "%s mirrors it with a replica on %s, which is not among the nodes: add it and import again", verdict.Engine, cmp.Or(string(l.Node), "a node that is not known"))
			return nil
		}
	}
	if verdict.Unknown != "" {
		v.notef("It is not known which replica is current: %s.", verdict.Unknown)
	}
	v.measure(inc, verdict)
	if v.size == 0 {
		d.lack(about, "none of its replicas is whole, so its size is not known")
		return nil
	}
	v.place(inc, verdict)
	for _, n := range v.on {
		if len(d.poolNames(n)) == 0 {
			d.lack(about, "it has a replica on %s, of which no pool is known: write its pools, or make it readable, and import again", n)
			return nil
		}
	}
	v.pool = d.poolOf(v, inc)
	v.exported(d.snap, inc)
	if at := d.snap.Nodes[verdict.Engine]; at != nil {
		v.limits = at.LimitsOf(verdict.Device)
	}
	v.layers(inc, verdict, d.now)
	return v
}

// measure finds the size: that of the smallest current replica, for each is
// rounded up to the clusters of its own pool.
func (v *volume) measure(inc *state.Incarnation, verdict state.Verdict) {
	for _, h := range inc.Heads {
		current := slices.ContainsFunc(verdict.Legs, func(l state.CurrentLeg) bool { return l.UUID == h.Lvol.UUID })
		if size := h.Lvol.Size; size > 0 && (current || len(verdict.Legs) == 0) && (v.size == 0 || size < v.size) {
			v.size = size
		}
	}
}

// place finds the nodes that have anything of a replica.
func (v *volume) place(inc *state.Incarnation, verdict state.Verdict) {
	add := func(n lineage.Node) {
		if i, found := slices.BinarySearch(v.on, n); !found {
			v.on = slices.Insert(v.on, i, n)
		}
	}
	var current []lineage.Node
	for _, l := range verdict.Legs {
		add(l.Node)
		current = append(current, l.Node)
	}
	for _, h := range inc.Heads {
		add(h.Node)
	}
	for _, o := range inc.Others {
		if _, ok := o.Lvol.Parsed.(lineage.Staging); ok {
			add(o.Node)
		}
	}
	for _, n := range v.on {
		if len(current) > 0 && !slices.Contains(current, n) {
			v.notef("The replica on %s is not current.", n)
		}
	}
}

// poolOf is the name of the pool that all replicas are in; "" where there is no
// choice, or none that could be written.
func (d *drafter) poolOf(v *volume, inc *state.Incarnation) string {
	choice, name := false, ""
	for _, n := range v.on {
		names := d.poolNames(n)
		choice = choice || len(names) > 1
		for _, h := range inc.Heads {
			if h.Node != n {
				continue
			}
			if name != "" && names[h.Lvol.Lvstore] != name {
				return ""
			}
			name = names[h.Lvol.Lvstore]
		}
	}
	if !choice {
		return ""
	}
	return name
}

// poolNames are the names of a node's pools by lvstore.
func (d *drafter) poolNames(n lineage.Node) map[string]string {
	names := map[string]string{}
	for _, p := range d.cfg.Node(n).Pools {
		names[p.Lvstore] = p.Name
	}
	for _, p := range d.pools {
		if p.node == n && p.ours {
			names[p.lvs.Name] = p.name
		}
	}
	return names
}

// exported finds how hosts reach the volume.
func (v *volume) exported(snap *state.Snapshot, inc *state.Incarnation) {
	v.export.Kind = schema.ExportNone
	n := 0
	for _, e := range inc.Exports {
		if v.engine != "" && e.Node != v.engine {
			continue
		}
		if n++; n > 1 {
			continue
		}
		switch {
		case e.Subsystem != nil:
			v.export = schema.Export{Kind: schema.ExportNVMf, AnyHost: e.Subsystem.AnyHost, Hosts: e.Subsystem.Hosts, Keys: hostKeys(snap.Nodes[e.Node], e.Subsystem), Standby: len(inc.Standbys), RDMA: overRDMA(e.Subsystem)}
			if v.sentKeys() {
				v.notef("no node says where strata found the keys of its hosts that it has put there: write it")
			}
		case e.Ublk >= 0:
			v.export = schema.Export{Kind: schema.ExportUblk, UblkID: e.Ublk}
		default:
			v.export = schema.Export{Kind: schema.ExportNBD, NBD: e.NBD}
		}
	}
	switch {
	case n > 1:
		v.notef("Hosts reach it in %d ways; a volume has one.", n)
	case n == 0 && v.engine == "":
		v.notef("No engine serves it now, so how hosts reach it is not known.")
	}
}
