package recipe

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// standby keeps the paths ready that lead hosts to the volume once its engine is
// elsewhere: on other nodes the export's subsystem, which shows nothing and listens as
// inaccessible. Paths that are not wanted go. One is made in the order subsystem,
// hosts, listener: what a crash leaves before there is a listener is completed, or,
// where no engine runs, served from.
func (s *subject) standby() result {
	if s.v.Part != nil {
		return idle // its whole has them
	}
	before := s.tally()
	s.inc = s.b.w.Incarnation(s.id)
	wanted := s.standbys(s.engine)
	for _, e := range slices.Concat(s.inc.Standbys, unreachable(s.inc)) {
		if e.Node != s.engine && (!slices.Contains(wanted, e.Node) || s.clashes(e)) {
			s.dropPath(because(s.v.At("export"), "the path of %s on %s is not one that is configured", s.v.Name, e.Node), e)
		}
	}
	s.dropOldPaths()
	for _, n := range wanted {
		if s.b.reachable(n) {
			s.makePath(n)
		}
	}
	s.inc = s.b.w.Incarnation(s.id)
	return s.since(before)
}

// standbys are the nodes that are to have a path while another is the engine. Where a
// replica is comes before where none is, then where there is a path already, then the
// next after the engine by name, so that engines that are spread have their paths
// spread. A node that cannot be read keeps its place until it is waited for no longer. One
// that could not show the volume gets none.
func (s *subject) standbys(engine lineage.Node) []lineage.Node {
	if s.v.Export.Kind != schema.ExportNVMf || s.v.Export.Standby == 0 {
		return nil
	}
	var all []lineage.Node
	for _, n := range s.b.cfg.Nodes {
		if n.Name != engine && !n.Drain && !s.b.unable(s.v, n.Name) {
			all = append(all, n.Name)
		}
	}
	rank := make(map[lineage.Node]int, len(all))
	for _, n := range all {
		rank[n] = 4*boolToInt(!s.chosen(n)) + 2*boolToInt(!s.hasPath(n)) + boolToInt(n < engine)
	}
	slices.SortFunc(all, func(x, y lineage.Node) int {
		return cmp.Or(cmp.Compare(rank[x], rank[y]), cmp.Compare(x, y))
	})
	return all[:min(s.v.Export.Standby, len(all))]
}

// hasPath reports whether a node has a subsystem of the volume's, or may have.
func (s *subject) hasPath(n lineage.Node) bool {
	at := s.b.w.Nodes[n]
	if at == nil || at.Unknown != "" {
		return s.b.opt.Away == nil || s.b.opt.Away[n]
	}
	return at.Subsystems[s.b.cfg.Cluster.ExportNQN(s.id.Whole())] != nil
}

// reachable reports whether steps may be planned for a node.
func (b *builder) reachable(n lineage.Node) bool {
	at := b.w.Nodes[n]
	return at != nil && at.Unknown == "" && b.cfg.Node(n) != nil && !b.opt.Skip[plan.NodeKey(n)]
}

// unreachable are the exports that neither listen nor show anything: of an engine that was
// taken down, or a path that is half made.
func unreachable(inc *state.Incarnation) (all []state.Exported) {
	for _, e := range inc.Exports {
		if waits(e) {
			all = append(all, e)
		}
	}
	return all
}

func waits(e state.Exported) bool {
	return e.Subsystem != nil && e.Device == "" && len(e.Subsystem.Listeners) == 0
}

// makePath makes what a path on a node lacks.
func (s *subject) makePath(n lineage.Node) {
	b, nqn := s.b, s.b.cfg.Cluster.ExportNQN(s.id.Whole())
	why := because(s.v.At("export"), "hosts of %s have a path to %s as well, should the engine move there", s.v.Name, n)
	sub := b.w.Nodes[n].Subsystems[nqn]
	if sub == nil {
		s.subsystem(why, n)
		sub = b.w.Nodes[n].Subsystems[nqn]
	}
	if len(sub.Namespaces) > 0 {
		return // an engine that is not believed shows it
	}
	s.hosts(why, n, sub)
	sub = b.w.Nodes[n].Subsystems[nqn]
	conf := b.cfg.Node(n)
	wanted := s.portals(conf)
	s.unhear(conf, sub, wanted)
	sub = b.w.Nodes[n].Subsystems[nqn]
	for _, p := range wanted {
		if !listens(sub, p) && (len(sub.Listeners) == 0 || s.may(schema.DutyChange)) {
			s.hear(why, n, nqn, p, true)
		}
	}
	if b.unattended() {
		return
	}
	sub = b.w.Nodes[n].Subsystems[nqn]
	for _, l := range slices.Clone(sub.Listeners) {
		if !slices.Contains(wanted, l.Portal()) && (l.TLS || !s.plainly(sub)) {
			s.sec.then(why, plan.RiskReduce, plan.ListenerRemove{At: plan.At{Node: n}, NQN: nqn, Address: l.Address, Port: l.Port, RDMA: l.RDMA})
		}
	}
}

// subsystem makes that of the volume on a node. The numbers that its hosts' controllers get
// are those of no other of the volume's that was read.
func (s *subject) subsystem(why reason, n lineage.Node) {
	c := s.b.cfg.Cluster
	s.b.transport(n, s.v.Export.RDMA)
	s.sec.after(plan.NodeKey(n))
	op := plan.SubsystemCreate{At: plan.At{Node: n}, NQN: c.ExportNQN(s.id.Whole()), Serial: c.Serial(s.id.Whole()), AnyHost: s.v.Export.AnyHost, ANA: true}
	if s.v.Export.Standby > 0 {
		op.IDs = lineage.IDsFor(n, s.taken(n))
	}
	s.sec.then(why, plan.RiskCreate, op)
}

// taken are the numbers that other nodes give to controllers of the volume's hosts. One
// that was not read is taken to give those that it would be told to first.
func (s *subject) taken(but lineage.Node) (all []lineage.IDs) {
	for _, n := range s.b.cfg.Nodes {
		at := s.b.w.Nodes[n.Name]
		switch {
		case n.Name == but:
		case at == nil || at.Unknown != "":
			all = append(all, lineage.IDsFor(n.Name, nil))
		case at.Subsystems[s.b.cfg.Cluster.ExportNQN(s.id.Whole())] != nil:
			all = append(all, at.Subsystems[s.b.cfg.Cluster.ExportNQN(s.id.Whole())].IDs)
		}
	}
	return all
}

// clashes reports whether a path has to be made again, for its numbers may be another's:
// that of the engine stays, and of two others the one on the node that comes first. One
// that gives any number was an export from before the volume had several paths.
func (s *subject) clashes(e state.Exported) bool {
	if e.Subsystem.IDs.Any() {
		return true
	}
	for _, o := range slices.Concat(s.inc.Exports, s.inc.Standbys) {
		if o.Subsystem != nil && (o.Node == s.engine || o.Node < e.Node) && o.Subsystem.IDs.Overlap(e.Subsystem.IDs) {
			return true
		}
	}
	return false
}

// dropPath takes a path away that leads nowhere. That is a person's, for hosts may be
// connected, but on a node that is drained.
func (s *subject) dropPath(why reason, e state.Exported) {
	mine := !s.b.unattended() || s.b.cfg.Drained(e.Node) && s.may(schema.DutyMove)
	if mine && s.b.reachable(e.Node) {
		s.sec.then(why, plan.RiskReduce, exportPiece{e}.ending())
	}
}

// dropOldPaths takes those away that are all that is left of other incarnations.
func (s *subject) dropOldPaths() {
	for _, id := range s.b.w.Incarnations(s.v.Name) {
		inc := s.b.w.Incarnation(id)
		if id == s.id || len(inc.Heads)+len(inc.Others)+len(pieces(inc)) > 0 {
			continue
		}
		for _, e := range inc.Standbys {
			s.dropPath(because(s.v.Pos, "nothing else is left of %s", id), e)
		}
	}
}
