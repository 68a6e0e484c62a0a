package apply

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// made has the lvols that a run has made and that no look has seen yet. What
// a target says it made and then does not list would be made again, and under
// another name each time: a volume's id and a layer's epoch are new ones.
//
// Somebody may have deleted it in between. So a replica's parts may be made a
// second time in a run, but no second incarnation of a volume.
type made struct {
	pools    state.Pools
	mu       sync.Mutex
	fresh    map[lvolKey]*freshLvol
	missed   map[plan.Key]int        // how often, by section
	unlisted map[plan.Key]*freshLvol // by section that is to be given up
}

// lvolKey is where an lvol is and its name, as plans call them.
type lvolKey struct {
	node    lineage.Node
	lvstore string
	name    lineage.LvolName
}

func (k lvolKey) alias() string { return k.lvstore + "/" + string(k.name) }

func (k lvolKey) compare(o lvolKey) int {
	return cmp.Or(cmp.Compare(k.node, o.node), cmp.Compare(k.lvstore, o.lvstore), cmp.Compare(k.name, o.name))
}

// freshLvol is an lvol that a step of a section made.
type freshLvol struct {
	lvolKey
	section plan.Key
	step    plan.Step
	uuid    lineage.UUID
	first   bool // it was made as a head of a new volume
	before  bool // it was made before the look that is under way
}

func newMade(pools state.Pools) *made {
	return &made{pools: pools, fresh: map[lvolKey]*freshLvol{}, missed: map[plan.Key]int{}, unlisted: map[plan.Key]*freshLvol{}}
}

// done notes what a step has made, renamed or deleted. resolve gives the UUID
// of an lvol that was made.
func (m *made) done(section plan.Key, step plan.Step, resolve func(string) string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := func(lvstore string, name lineage.LvolName) lvolKey { return lvolKey{step.Op.On(), lvstore, name} }
	add := func(lvstore string, name lineage.LvolName) {
		uuid := resolve(string(plan.Token(step.Op.On(), lvstore, name)))
		m.fresh[at(lvstore, name)] = &freshLvol{lvolKey: at(lvstore, name), section: section, step: step, uuid: lineage.UUID(uuid), first: isFirst(name)}
	}
	switch op := step.Op.(type) {
	case plan.LvolCreate:
		add(op.Lvstore, op.Name)
	case plan.Remind:
		add(op.Lvstore, op.Member.Lvol())
	case plan.LvolClone:
		add(op.Lvstore, op.Name)
	case plan.LvolCloneBdev:
		add(op.Lvstore, op.Name)
	case plan.LvolSnapshot:
		add(op.Lvstore, op.Layer)
	case plan.LvolRename:
		if f := m.fresh[at(op.Lvstore, op.From)]; f != nil {
			delete(m.fresh, f.lvolKey)
			f.name = op.To
			m.fresh[f.lvolKey] = f
		}
	case plan.LvolDelete:
		delete(m.fresh, at(op.Lvstore, op.Name))
	case plan.Compare:
		delete(m.fresh, at(op.Lvstore, op.From)) // it was there to be renamed
	default: // neither makes, nor renames, nor deletes an lvol
	}
}

// beforeLook says that a look begins: it must show what was made until now.
func (m *made) beforeLook() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.fresh {
		f.before = true
	}
}

// afterLook compares what was made with what a look has shown. Where it could not
// look, the next one does.
func (m *made) afterLook(snap *state.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.fresh) == 0 {
		return
	}
	snap = snap.Named(m.pools)
	missing := map[plan.Key][]*freshLvol{}
	for at, f := range m.fresh {
		n := snap.Nodes[at.node]
		if !f.before || n == nil || n.Unknown != "" {
			continue
		}
		if n.Lvstores[at.lvstore] != nil && n.LvolByUUID(f.uuid) == nil && n.Lvols[at.alias()] == nil {
			missing[f.section] = append(missing[f.section], f)
		}
		delete(m.fresh, at)
	}
	for section, lvols := range missing {
		slices.SortFunc(lvols, func(a, b *freshLvol) int { return a.compare(b.lvolKey) })
		m.missed[section]++
		if i := slices.IndexFunc(lvols, func(f *freshLvol) bool { return f.first }); i >= 0 || m.missed[section] >= maxFailures {
			m.unlisted[section] = lvols[max(i, 0)]
		}
	}
}

// isFirst reports whether an lvol is one of the first heads of an incarnation.
func isFirst(name lineage.LvolName) bool {
	n, _ := lineage.Parse(name)
	h, ok := n.(lineage.Head)
	return ok && h.Epoch == 1
}

// missing are those of a pass's sections that have made what is not listed.
func (m *made) missing(p plan.Pass) (failed []Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range p.Sections {
		if f := m.unlisted[s.Key()]; f != nil {
			failed = append(failed, Failure{Section: f.section, Step: f.step, Err: f.err()})
		}
	}
	return failed
}

func (f *freshLvol) err() error {
	return fmt.Errorf("the target said that it was done, and does not list lvol %s since; so that is not made again in this run. See what it lists (rpc.py bdev_lvol_get_lvols, bdev_get_bdevs), and apply again", f.alias())
}
