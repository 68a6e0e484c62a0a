package state

import (
	"context"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// exports are those of the cluster that a node had.
func (s *Snapshot) exports(c lineage.Cluster, name lineage.Node) (nqns []lineage.NQN) {
	if s == nil || s.Nodes[name] == nil {
		return nil
	}
	for nqn := range s.Nodes[name].Subsystems {
		if _, ok := c.ParseExport(nqn); ok {
			nqns = append(nqns, nqn)
		}
	}
	slices.Sort(nqns)
	return nqns
}

// listenings are requests for how the listeners of subsystems stand.
type listenings struct {
	reqs  []*spdk.Req
	nqns  []lineage.NQN
	lists []*[]spdk.Listener
}

func (l *listenings) ask(nqn lineage.NQN) {
	list := new([]spdk.Listener)
	l.reqs = append(l.reqs, spdk.GetListeners(string(nqn), list))
	l.nqns = append(l.nqns, nqn)
	l.lists = append(l.lists, list)
}

// answers takes up those that were answered, and returns the error of the others.
func (l *listenings) answers(into map[lineage.NQN][]spdk.Listener) (refused error) {
	for i, r := range l.reqs {
		if r.Err != nil {
			refused = r.Err
			continue
		}
		into[l.nqns[i]] = *l.lists[i]
	}
	return refused
}

// readListeners reads how the listeners of the cluster's exports stand that are not known
// yet. A subsystem that went away since it was listed has none.
func (a *answers) readListeners(ctx context.Context, c lineage.Cluster, t *spdk.Client, known *listenings) error {
	had := map[lineage.NQN][]spdk.Listener{}
	_ = known.answers(had) // those that are gone are not listed
	a.listeners = map[lineage.NQN][]spdk.Listener{}
	var more listenings
	for _, s := range a.subsystems {
		nqn := lineage.NQN(s.NQN)
		if _, ok := c.ParseExport(nqn); !ok {
			continue
		}
		if list, ok := had[nqn]; ok {
			a.listeners[nqn] = list
		} else {
			more.ask(nqn)
		}
	}
	if err := t.Round(ctx, more.reqs...); err != nil {
		return err
	}
	if err := more.answers(a.listeners); err != nil {
		a.changed = fmt.Errorf("the target's subsystems changed while they were read: %w", err)
	}
	return nil
}
