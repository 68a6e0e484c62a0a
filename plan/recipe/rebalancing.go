package recipe

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/balance"
	"strata/schema"
	"strata/state"
)

// rebalancing is what of nodes and volumes matters to how full pools are.
type rebalancing struct {
	b        *builder
	hosts    state.Connections
	of       []*pool // that may have replicas, in order
	index    map[*pool]int
	pools    []balance.Pool
	subjects []*subject // of the volumes
	volumes  []balance.Volume
	engines  []seatTaken
	mays     map[string][]int    // pools by what a volume asks for
	domains  map[string][]string // values of labels by key
	fixed    map[string]int      // why replicas stay
	pathless int                 // engines that stay because hosts would have to connect elsewhere
}

// seatTaken is an engine.
type seatTaken struct {
	volume string
	at     lineage.Node
	moves  bool
	has    []lineage.Node // current replicas
	may    func(lineage.Node) bool
}

// survey notes what there is.
func (r *rebalancing) survey() {
	for n := range r.b.readNodes() {
		for _, p := range r.b.ground.pools[n.Name] {
			if p.state == poolReady && p.capacity > 0 && !n.Drain && p.conf.ReplacedBy == "" {
				r.index[p] = len(r.of)
				r.of = append(r.of, p)
				r.pools = append(r.pools, balance.Pool{Node: string(n.Name), Size: p.capacity, Used: p.used, Promised: p.taken, Limit: limitOn(p)})
			}
		}
	}
	for _, v := range r.b.order {
		r.b.at = &outcome{needs: map[lineage.Link]bool{}}
		if s := r.b.subjectFor(v); s != nil {
			r.volume(s)
		}
	}
	r.b.at = nil
}

// limitOn is what a pool may be promised; 0 where nobody has said.
func limitOn(p *pool) int64 {
	if p.conf.Overcommit == 0 {
		return 0
	}
	return p.conf.Limit(p.capacity)
}

// subjectFor judges a volume that is there; nil if it cannot be judged.
func (b *builder) subjectFor(v *schema.Volume) *subject {
	picked, why, _ := b.pick(v)
	if why != "" || picked.id.Name == "" {
		return nil
	}
	s := &subject{b: b, v: v, id: picked.id, sec: b.section(plan.VolumeKey(v.Name)), keep: map[lineage.UUID]lineage.Node{}}
	if !s.judge() || len(s.inc.Foreign) > 0 {
		return nil
	}
	return s
}

// volume notes a volume. One that lacks replicas, or has any where it is not to be, is left to
// what plans do about that.
func (r *rebalancing) volume(s *subject) {
	staysAll := r.staysWhole(s)
	if s.engined() {
		e := seatTaken{volume: s.v.Name, at: s.engine, may: func(lineage.Node) bool { return false }}
		if staysAll == "" || r.only(staysAll) {
			follow := r.followTo(s)
			e.moves = s.v.Engine == "" && s.v.Replicas.Count > 1
			e.may = func(n lineage.Node) bool { return follow(n) && !s.b.unable(s.v, n) }
		}
		if e.moves && s.byPath() && s.v.Export.Standby == 0 {
			r.pathless++
		}
		for _, l := range s.Legs {
			e.has = append(e.has, l.Node)
		}
		r.engines = append(r.engines, e)
	}
	legs := r.inUse(s)
	if legs == nil {
		return
	}
	v := balance.Volume{Need: s.v.Size, Begun: map[int]int64{}, Domain: r.domain(s.v.Replicas.Spread)}
	r.begun(s, legs, &v)
	for _, l := range legs {
		i := r.at(l.Node, l.Head.Lvol.Lvstore)
		rep := balance.Replica{Pool: i, Bytes: s.bytes(l.Node, l.Head.Lvol.Lvstore)}
		why := staysAll
		if why == "" {
			why = r.stays(s, l, len(v.Begun) > 0)
		}
		if why != "" {
			r.fixed[why]++
			rep.Stays = true
		}
		rep.Last = s.engined() && l.Node == s.engine
		v.Replicas = append(v.Replicas, rep)
		v.Need = max(v.Need, s.need())
	}
	v.May = r.may(s)
	v.Once = s.engined()
	r.subjects, r.volumes = append(r.subjects, s), append(r.volumes, v)
}

// engined reports whether the volume is to have an engine.
func (s *subject) engined() bool {
	return s.v.Replicas.Count > 1 || s.v.Export.Kind != schema.ExportNone
}

// inUse are the replicas that are to stay as many as are configured; nil if there are fewer, or
// one is in no pool of those that are looked at.
func (r *rebalancing) inUse(s *subject) []state.CurrentLeg {
	var legs []state.CurrentLeg
	for _, l := range s.Legs {
		n := r.b.cfg.Node(l.Node)
		if l.Head == nil || n == nil || r.at(l.Node, l.Head.Lvol.Lvstore) < 0 {
			return nil
		}
		if s.chosen(l.Node) && s.v.KeptOff(n) == "" {
			legs = append(legs, l)
		}
	}
	if len(legs) != s.v.Replicas.Count {
		return nil
	}
	return legs
}

// at is the index of a pool; -1 for none.
func (r *rebalancing) at(n lineage.Node, lvstore string) int {
	p := r.b.pool(n, lvstore)
	if i, is := r.index[p]; p != nil && is {
		return i
	}
	return -1
}

// bytes are what the volume's lvols take in a pool.
func (s *subject) bytes(n lineage.Node, lvstore string) (sum int64) {
	at := s.b.w.Nodes[n]
	for _, l := range s.lvols(n, lvstore) {
		sum += at.Takes(l).Used
	}
	return sum
}

// lvols are the volume's in a pool.
func (s *subject) lvols(n lineage.Node, lvstore string) (all []*state.Lvol) {
	for _, h := range s.inc.Heads {
		if h.Node == n && h.Lvol.Lvstore == lvstore {
			all = append(all, h.Lvol)
		}
	}
	for _, o := range s.inc.Others {
		if o.Node == n && o.Lvol.Lvstore == lvstore {
			all = append(all, o.Lvol)
		}
	}
	return all
}

// Reasons why no replica of a volume moves.
const (
	pinned    = "replicas.on names where they are"
	protected = "protect has them stay"
	device    = "their users have a device of a node's kernel, and cannot be held"
	cloned    = "they share a snapshot with another volume on their node"
	lacking   = "their volume lacks a replica"
)

// only reports whether that is a reason for replicas to stay, and none for the engine.
func (r *rebalancing) only(why string) bool {
	return why == pinned || why == protected || why == cloned
}

// staysWhole says why no replica of a volume moves; "" if some may.
func (r *rebalancing) staysWhole(s *subject) string {
	switch {
	case len(s.v.Replicas.On) > 0:
		return pinned
	case s.v.Protect:
		return protected
	case s.kernelExport() || s.kernelOnly() || s.v.Export.Kind == schema.ExportUblk || s.v.Export.Kind == schema.ExportNBD:
		return device
	case len(s.Legs) < s.v.Replicas.Count:
		return lacking
	case s.baseName() != "" || s.v.From != nil && s.v.From.Detach && s.foreignParent() != "" || r.carries(s):
		return cloned
	}
	return ""
}

// carries reports whether something that is not the volume's stands on one of its layers.
func (r *rebalancing) carries(s *subject) bool {
	for _, o := range s.inc.Others {
		if s.stoodOn(o.Node, o.Lvol) != "" {
			return true
		}
	}
	return false
}

// stays says why a replica does; "" if it may move. While a move is begun that is not the one
// under the engine: the engine leaves before anything is copied. So that is known whether hosts
// are connected at this moment or not.
func (r *rebalancing) stays(s *subject, l state.CurrentLeg, begun bool) string {
	switch {
	case l.Node == s.v.Engine:
		return "engine names the node where they are"
	case begun && l.Node == s.engine && s.v.Replicas.Count > 1:
		return "they are under the engine, and a replica is on its way that takes the place of another"
	case l.Node == s.engine && s.byPath():
		may := r.followTo(s)
		if !slices.ContainsFunc(s.Legs, func(o state.CurrentLeg) bool { return o.Node != l.Node && may(o.Node) }) {
			return "they are under the engine, and hosts have no path to another replica's node"
		}
	}
	return ""
}

// byPath reports whether hosts follow the engine by a path that they have already.
func (s *subject) byPath() bool {
	return s.v.Export.Kind == schema.ExportNVMf && s.v.Export.VIP == nil
}

// followTo says to which nodes the engine may move so that hosts go on by themselves.
func (r *rebalancing) followTo(s *subject) func(lineage.Node) bool {
	if s.byPath() {
		nqn := s.b.cfg.Cluster.ExportNQN(s.id)
		return func(n lineage.Node) bool {
			return s.v.Export.Standby > 0 && s.hasPath(n) && !slices.ContainsFunc(r.hosts[s.engine][nqn], func(h state.Connected) bool {
				return !slices.ContainsFunc(r.hosts[n][nqn], func(o state.Connected) bool { return o.Host == h.Host })
			})
		}
	}
	return func(lineage.Node) bool { return s.v.Export.Kind == schema.ExportNone || s.v.Export.VIP != nil }
}

// may are the pools in which a replica of a volume may be.
func (r *rebalancing) may(s *subject) []int {
	align := int64(0)
	for _, l := range s.Legs {
		for _, o := range s.lvols(l.Node, l.Head.Lvol.Lvstore) {
			align = gcd(align, o.Size)
		}
	}
	rep := &s.v.Replicas
	key := fmt.Sprint(rep.Pool, " ", s.blockSize(), " ", align, " ", s.v.Engine)
	for _, k := range slices.Sorted(maps.Keys(rep.Require)) {
		key += fmt.Sprintf(" %q=%q", k, rep.Require[k])
	}
	if all, known := r.mays[key]; known {
		return all
	}
	var all []int
	for i, p := range r.of {
		if s.v.KeptOff(p.node) == "" && rep.KeptOut(p.node, p.conf) == "" && p.fits(s.blockSize()) && (p.cluster == 0 || align%p.cluster == 0) {
			all = append(all, i)
		}
	}
	r.mays[key] = all
	return all
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// domain has the value of a label by pool; nil where there is none to spread over.
func (r *rebalancing) domain(key string) []string {
	if key == "" {
		return nil
	}
	if r.domains[key] == nil {
		for _, p := range r.of {
			r.domains[key] = append(r.domains[key], p.node.Labels[key])
		}
	}
	return r.domains[key]
}

// begun notes what an interrupted move has left: it is there until it is gone on with, or let go
// of. What is copied again onto staging is not there yet.
func (r *rebalancing) begun(s *subject, legs []state.CurrentLeg, v *balance.Volume) {
	here := map[int]bool{}
	for _, l := range legs {
		here[r.at(l.Node, l.Head.Lvol.Lvstore)] = true
	}
	source := s.inc.Layers(legs[0].Node, legs[0].Head.Lvol.Lvstore)
	for i, p := range r.of {
		if here[i] {
			continue
		}
		left := s.lvols(p.node.Name, p.conf.Lvstore)
		if len(left) == 0 {
			continue
		}
		at, there, all, promised := r.b.w.Nodes[p.node.Name], int64(0), int64(0), int64(0)
		for _, l := range left {
			all, promised = all+at.Takes(l).Used, promised+at.Takes(l).Promised
			if st, staging := l.Parsed.(lineage.Staging); staging && l.Allocated > 0 { // its copy goes on, or has ended
				for _, layer := range source {
					if name, _ := layer.Parsed.(lineage.Layer); name.Epoch == st.Epoch {
						there += at.Takes(layer).Used
					}
				}
			}
			if _, head := l.Parsed.(lineage.Head); head || source[l.Name] != nil {
				there += at.Takes(l).Used
			}
		}
		if s.isCurrent(p.node.Name, p.conf.Lvstore) {
			there = math.MaxInt64
		}
		v.Begun[i] = there
		r.pools[i].Used -= all
		r.pools[i].Spare += all
		r.pools[i].Promised -= promised
	}
}

// isCurrent reports whether the volume has a current replica in a pool.
func (s *subject) isCurrent(n lineage.Node, lvstore string) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Node == n && l.Head != nil && l.Head.Lvol.Lvstore == lvstore
	})
}
