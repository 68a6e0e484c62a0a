package state

import (
	"cmp"
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
)

// Verdict says which replicas of a volume are current, and how that is known.
type Verdict struct {
	// Engine is the node that serves the volume now; "" when none does.
	Engine lineage.Node
	// Device is the bdev the engine serves: the RAID, or the only leg's.
	Device string
	// Legs are the current replicas: those in use while an engine runs, else
	// those an engine may be started from. Engine-local first, then by node; of several on
	// one node, the one whose name tells most.
	Legs []CurrentLeg
	// Slots counts the slots of the running RAID, lost ones included.
	Slots int
	// Top is the highest epoch any head of the volume names.
	Top lineage.Epoch
	// Unknown says why it is not known which replica is current. Nothing is
	// then done to the volume until the operator names an authority.
	Unknown string
	// ByOperator is set when the heads' names do not tell, and the operator did.
	ByOperator bool
}

// CurrentLeg is a current replica.
type CurrentLeg struct {
	Node lineage.Node // "" when it is on no node that is known
	UUID lineage.UUID
	Head *Head // nil when its node could not be read
}

// Question is what a Verdict depends on beyond what was seen.
type Question struct {
	Cluster lineage.Cluster
	// Replicas is the number of replicas the configuration asks for.
	Replicas int
	// Hidden counts the nodes that could have a replica and were not read.
	Hidden int
	// Authority is the node whose replica the operator has named; "" for none.
	Authority lineage.Node
}

// Judge applies the rules of lineage to one incarnation of a volume.
func (s *Snapshot) Judge(inc *Incarnation, q Question) Verdict {
	v := Verdict{Top: inc.Top()}
	if s.running(inc, q, &v) || v.Unknown != "" {
		return v
	}
	s.stopped(inc, q, &v)
	return v
}

func (s *Snapshot) addLeg(inc *Incarnation, c lineage.Cluster, v *Verdict, u lineage.UUID) {
	if h := inc.Find(u); h != nil {
		if h.Lvol.Complete() {
			v.Legs = append(v.Legs, CurrentLeg{h.Node, u, h})
		}
		return
	}
	leg := CurrentLeg{UUID: u}
	if l := s.Nodes[v.Engine].lvolByUUID[u]; l != nil {
		if st, is := l.Parsed.(lineage.Staging); is && st.Forerunner() {
			return // it becomes one when it has a head's name
		}
		leg.Node = v.Engine // it is Apart
	}
	if r := s.Nodes[v.Engine].Remotes[u]; r != nil {
		if ctrl := s.Nodes[v.Engine].Controllers[r.Controller]; ctrl != nil {
			if link, ok := c.ParseLink(ctrl.NQN); ok {
				leg.Node = link.From
			}
		}
	}
	v.Legs = append(v.Legs, leg)
}

func (v *Verdict) order() {
	slices.SortFunc(v.Legs, func(a, b CurrentLeg) int {
		if local := a.Node == v.Engine; local != (b.Node == v.Engine) {
			if local {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Node, b.Node), compareBeside(a.Head, b.Head), cmp.Compare(a.UUID, b.UUID))
	})
}

// stopped judges a volume no engine serves, by what its heads' names say, and
// where they do not say it by the operator's word.
func (s *Snapshot) stopped(inc *Incarnation, q Question, v *Verdict) {
	v.byNames(s, inc, q)
	if v.Unknown != "" && q.Authority != "" {
		v.Unknown, v.ByOperator = "", true
		v.byOperator(inc, q)
	}
}

func (v *Verdict) byNames(s *Snapshot, inc *Incarnation, q Question) {
	if v.Unknown = inc.Minority(q); v.Unknown != "" {
		return
	}
	var primaries, sealed, open, announced []Head
	for _, h := range inc.Heads {
		if h.Name.Epoch != v.Top || !h.Lvol.Complete() {
			continue
		}
		switch {
		case h.announced():
			announced = append(announced, h)
		case h.Name.Mark == lineage.Primary:
			primaries = append(primaries, h)
		case h.Name.Mark == lineage.Sealed:
			sealed = append(sealed, h)
		case h.Name.Mark == lineage.Open:
			open = append(open, h)
		}
	}
	switch {
	case inc.contested(v.Top, len(primaries) > 0) != nil:
		a := inc.contested(v.Top, len(primaries) > 0)
		v.Unknown = fmt.Sprintf("%s may be newer, and it cannot be used: %s", a, a.Why)
	case mintedTwice(inc, v.Top):
		v.Unknown = fmt.Sprintf("its heads do not agree on how many replicas epoch %d has: it was minted twice", v.Top)
	case len(primaries) == 1:
		v.lead(primaries)
	case len(primaries) > 1:
		v.Unknown = fmt.Sprintf("two heads claim epoch %d, on %s and %s", v.Top, primaries[0].Node, primaries[1].Node)
	case len(announced) > 0:
		v.Unknown = fmt.Sprintf("%s of it %s told of epoch %d while hosts were served, and nothing says whether the engine has entered it", amount.Of(len(announced), "replica"), amount.Verb(len(announced), "was", "were"), v.Top)
	case len(sealed) > 0 && len(open) == 0:
		if away := min(sealed[0].Name.Legs-len(sealed), q.Hidden); len(sealed) <= away {
			v.Unknown = fmt.Sprintf("%d of the %d replicas that were sealed together at epoch %d could be read, and another may have been opened since", len(sealed), sealed[0].Name.Legs, v.Top)
			return
		}
		v.lead(sealed)
	case len(open) == 1 && open[0].Name.Legs == 1 && len(sealed) == 0 && (q.Hidden > 0 || s.MayServe(q.Cluster, open[0]) != ""):
		v.Unknown = fmt.Sprintf("its only current replica is on %s, and an engine on a node that could not be read may serve it", open[0].Node)
	case len(open) == 1 && open[0].Name.Legs == 1 && len(sealed) == 0:
		v.lead(open)
	case q.Hidden == 0 && inc.notBegun(v.Top) != nil:
		v.lead([]Head{*inc.notBegun(v.Top)})
	default:
		v.Unknown = fmt.Sprintf("no engine runs, and none of its heads says that it is the authority of epoch %d", v.Top)
	}
}

// notBegun is the authority of an epoch that promised that half of its legs are told of the
// next before one is let go: of the highest those are told that it leaves out, each leg is
// there, and none has begun it. Where that is not the next one, for a run was broken off and
// another began anew, so many have to be as they were named that none was begun between. nil
// for none.
func (inc *Incarnation) notBegun(top lineage.Epoch) (authority *Head) {
	for i, h := range inc.Heads {
		fenced := h.Name.Mark == lineage.Fenced
		switch {
		case !h.Lvol.Complete():
			continue
		case h.Name.Epoch == top && (!fenced || h.Name.Pledged):
			return nil
		case h.Name.Epoch < top && h.Name.Mark == lineage.Primary && h.Name.Quorum && (authority == nil || h.Name.Epoch >= authority.Name.Epoch):
			if authority != nil && h.Name.Epoch == authority.Name.Epoch {
				return nil
			}
			authority = &inc.Heads[i]
		}
	}
	if authority == nil {
		return nil
	}
	there, untold := map[lineage.Place]bool{}, map[lineage.Place]bool{}
	for _, h := range inc.Heads {
		fenced := h.Name.Mark == lineage.Fenced
		switch {
		case !h.Lvol.Complete():
		case h.Name.Epoch == authority.Name.Epoch && !fenced:
			there[h.Place()], untold[h.Place()] = true, true
		case h.Name.Epoch == top:
			there[h.Place()] = true
		case h.Name.Epoch > authority.Name.Epoch && !fenced:
			return nil // it was begun
		}
	}
	if len(there) < authority.Name.Legs || authority.Name.Epoch+1 != top && len(untold) < authority.Name.Untold() {
		return nil
	}
	return authority
}

// contested returns a head that counts for nothing and yet may be the authority
// of the highest epoch; nil for none. Where another is, one that is merely open
// is not.
func (inc *Incarnation) contested(top lineage.Epoch, known bool) *Apart {
	for i := range inc.Apart {
		a := &inc.Apart[i]
		authority := a.Name.Mark == lineage.Primary || a.Name.Legs == 1
		if a.Name.Epoch == top && a.opened() && (authority || !known) {
			return a
		}
	}
	return nil
}

// mintedTwice reports whether two attempts to start an engine, neither of which
// knew of the other, took the same epoch.
func mintedTwice(inc *Incarnation, epoch lineage.Epoch) bool {
	legs := 0
	for _, h := range inc.Heads {
		if h.Name.Epoch != epoch || h.Name.Mark == lineage.Fenced {
			continue
		}
		if legs != 0 && legs != h.Name.Legs {
			return true
		}
		legs = h.Name.Legs
	}
	return false
}

func (v *Verdict) lead(heads []Head) {
	for i := range heads {
		v.Legs = append(v.Legs, CurrentLeg{heads[i].Node, heads[i].Lvol.UUID, &heads[i]})
	}
}

// Minority says that too few replicas were read to judge the volume while no
// engine runs; "" when they are enough. Those that were read must outnumber
// those that may be where nobody has looked: then nobody who looked elsewhere
// can have started an engine unnoticed.
//
// A replica that is configured, was looked for and does not exist is no vote
// for either: it may never have been made. One that the latest epoch counts did
// exist. Somebody who knew of a later one may have let it go, and where he did
// is not known as long as a node is hidden.
func (inc *Incarnation) Minority(q Question) string {
	seen, away := inc.votes(q)
	if q.Hidden > 0 {
		away = max(away, inc.named()-seen)
	}
	if seen <= away {
		if seen+away == 1 {
			return "its only replica could not be read, and no engine runs"
		}
		return fmt.Sprintf("only %d of its %d replicas could be read, and no engine runs; a majority is needed to know which is current", seen, seen+away)
	}
	return inc.spread()
}

// named is how many replicas the latest epoch counts.
func (inc *Incarnation) named() int {
	n, top := 0, inc.Top()
	for _, h := range inc.Heads {
		if h.Name.Epoch == top {
			n = max(n, h.Name.Legs)
		}
	}
	return n
}

// votes counts the nodes on which replicas were seen, and those that may have
// others and were not read.
func (inc *Incarnation) votes(q Question) (seen, away int) {
	all := q.Replicas
	nodes := map[lineage.Node]bool{}
	for _, h := range inc.Heads {
		all = max(all, h.Name.Legs)
		if h.Lvol.Complete() { // what never was current knows of no engine
			nodes[h.Node] = true
		}
	}
	return len(nodes), min(max(0, all-len(nodes)), q.Hidden)
}

// Newer reports whether a head tells of more than another on its node: one that
// is fenced was overtaken by one of the same epoch that is not.
func (h Head) Newer(than Head) bool {
	return compareWords(&h, &than) > 0
}

// compareBeside orders legs on one node: one that is not stale comes first, and then the
// one whose name tells most.
func compareBeside(a, b *Head) int {
	if a == nil || b == nil {
		return 0
	}
	stale := func(h *Head) int {
		if h.Name.Mark == lineage.Fenced {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(stale(a), stale(b)), -compareWords(a, b))
}

// compareWords orders heads of one node by what their names tell: a later epoch; not to be
// stale; to be the authority.
func compareWords(a, b *Head) int {
	return cmp.Or(cmp.Compare(a.Name.Epoch, b.Name.Epoch), cmp.Compare(rankOf(a.Name.Mark), rankOf(b.Name.Mark)))
}

func rankOf(m lineage.Mark) int {
	switch m {
	case lineage.Fenced:
		return 0
	case lineage.Primary:
		return 2
	default:
		return 1
	}
}

// byOperator takes the replica the operator has named, if the next epoch can
// be made known to so many replicas that every later majority includes one.
func (v *Verdict) byOperator(inc *Incarnation, q Question) {
	var chosen []Head
	for _, h := range inc.Heads {
		if h.Node == q.Authority && h.Lvol.Complete() && (len(chosen) == 0 || h.Newer(chosen[0])) {
			chosen = []Head{h}
		}
	}
	seen, away := inc.votes(q)
	switch {
	case len(chosen) == 0:
		v.Unknown = fmt.Sprintf("no complete replica of it was found on %s", q.Authority)
	case seen < away:
		v.Unknown = fmt.Sprintf("%d of its %d replicas can be reached; so few cannot be told that %s is the authority in a way that later reads are sure to see", seen, seen+away, q.Authority)
	default:
		v.lead(chosen)
	}
}
