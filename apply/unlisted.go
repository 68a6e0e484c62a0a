package apply

import (
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
	fresh    []*freshLvol
	missed   map[string]int        // how often, by section
	unlisted map[string]*freshLvol // by section that is to be given up
}

// freshLvol is an lvol that a step of a section made.
type freshLvol struct {
	section string
	step    plan.Step
	uuid    lineage.UUID
	lvstore string
	name    lineage.LvolName // as it is called since
	first   bool             // it was made as a head of a new volume
	looked  bool             // it was there before the look that is under way
}

func newMade(pools state.Pools) *made {
	return &made{pools: pools, missed: map[string]int{}, unlisted: map[string]*freshLvol{}}
}

func (f *freshLvol) alias() string { return f.lvstore + "/" + string(f.name) }

// done notes what a step has made, renamed or deleted. resolve gives the UUID
// of an lvol that was made.
func (m *made) done(section string, step plan.Step, resolve func(string) string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	add := func(lvstore string, name lineage.LvolName) {
		uuid := resolve(string(plan.Token(step.Op.On(), lvstore, name)))
		m.fresh = append(m.fresh, &freshLvol{section: section, step: step, uuid: lineage.UUID(uuid), lvstore: lvstore, name: name, first: isFirst(name)})
	}
	is := func(f *freshLvol, lvstore string, name lineage.LvolName) bool {
		return f.step.Op.On() == step.Op.On() && f.lvstore == lvstore && f.name == name
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
		for _, f := range m.fresh {
			if is(f, op.Lvstore, op.From) {
				f.name = op.To
			}
		}
	case plan.LvolDelete:
		m.fresh = slices.DeleteFunc(m.fresh, func(f *freshLvol) bool { return is(f, op.Lvstore, op.Name) })
	}
}

// looking says that a look begins: it must show what was made until now.
func (m *made) looking() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.fresh {
		f.looked = true
	}
}

// looked compares what was made with what a look has shown. Where it could not
// look, the next one does.
func (m *made) looked(snap *state.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.fresh) == 0 {
		return
	}
	snap = snap.Named(m.pools)
	missing := map[string][]*freshLvol{}
	m.fresh = slices.DeleteFunc(m.fresh, func(f *freshLvol) bool {
		n := snap.Nodes[f.step.Op.On()]
		if !f.looked || n == nil || n.Unknown != "" {
			return false
		}
		if n.Lvstores[f.lvstore] != nil && n.LvolByUUID(f.uuid) == nil && n.Lvols[f.alias()] == nil {
			missing[f.section] = append(missing[f.section], f)
		}
		return true
	})
	for section, lvols := range missing {
		m.missed[section]++
		if i := slices.IndexFunc(lvols, func(f *freshLvol) bool { return f.first }); i >= 0 || m.missed[section] >= patience {
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
