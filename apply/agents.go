package apply

import (
	"context"
	"errors"
	"sync"

	"strata/fence"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// fences switches nodes off, and remembers which are. What a node served while it was
// off is gone for good: only a plan starts it again. So the evidence holds until the node
// answers, but not beyond a run, for others may have the nodes then. After that the
// agent is asked anew, and switches nothing off that is off already.
type fences struct {
	cfg *schema.Config
	run func(context.Context, *schema.Node) (fence.Evidence, error) // nil: nobody can here

	mu  sync.Mutex
	off map[lineage.Node]fence.Evidence
}

func newFences(cfg *schema.Config, opt Options) *fences {
	return &fences{cfg: cfg, run: opt.Fence, off: map[lineage.Node]fence.Evidence{}}
}

// switchOff carries out an op. Its error is that the node is not known to be off.
func (f *fences) switchOff(ctx context.Context, op plan.NodeOff) error {
	if f.run == nil {
		return errors.New("fence agents are not run here")
	}
	e, err := f.run(ctx, f.cfg.Node(op.Node))
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off[op.Node] = e
	return nil
}

// look forgets the nodes that have answered, and returns the evidence of the others in
// words; nil where there is none.
func (f *fences) look(snap *state.Snapshot) map[lineage.Node]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var off map[lineage.Node]string
	for name, e := range f.off {
		if n := snap.Nodes[name]; n == nil || n.Unknown == "" {
			delete(f.off, name)
			continue
		}
		if off == nil {
			off = map[lineage.Node]string{}
		}
		off[name] = e.String()
	}
	return off
}
