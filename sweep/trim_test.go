package sweep

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"strata/apply"
	"strata/backup"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
	"strata/state"
)

// trimming is what a process that trims volumes has come to, as strata trim does: a part of
// them at a time, between which hosts may come.
type trimming struct {
	left map[string]bool // volumes that are to be trimmed still

	mu     sync.Mutex
	from   map[string]int64
	failed error
}

const (
	trimTurn = time.Second // two of a volume of 16 MiB
	trimRate = 8 << 20     // bytes a second
)

// trim does nothing to volumes but to trim them. An error of the result is one of the trim.
func (a *applier) trim(s step, opt plan.Options, guarded bool) (*apply.Result, error) {
	t := &trimming{left: s.trim, from: map[string]int64{}}
	o := a.options(opt)
	o.Passes, o.Vet = 1, t.vet
	o.Only = func(k plan.Key) bool { return k.Kind == plan.KindVolume && t.left[k.Name] }
	o.Trims = &apply.Trims{Rate: trimRate, For: trimTurn, From: t.done, Tell: t.tell}
	for {
		t.mu.Lock()
		left, before := map[string]bool{}, 0
		for v := range s.trim {
			if size := s.cfg.Volume(v).Size; t.from[v] < size {
				left[v], before = true, before+int(t.from[v])
			}
		}
		t.mu.Unlock()
		t.left, o.Plan.Trim.Volumes = left, left
		r, err := a.run(s.cfg, o, guarded)
		if err != nil || len(r.Failures) > 0 || t.failed != nil {
			return r, cmp.Or(err, t.failed)
		}
		now := 0
		for v := range left {
			now += int(t.from[v])
		}
		switch {
		case r.Stopped:
			return r, nil
		case now == before:
			return r, fmt.Errorf("nothing is trimmed: %v", r.Plan.Blocked)
		case !slices.ContainsFunc(s.cfg.Volumes, func(v *schema.Volume) bool { return left[v.Name] && t.from[v.Name] < v.Size }):
			return r, nil
		}
		if guarded && a.guard != nil {
			<-a.guard
		}
		time.Sleep(time.Second)
	}
}

// trimAgain has what a trim has left brought to rest, and trims once more, which has to come to
// its end. Somebody may have tried that at once.
func (w *world) trimAgain(s step) (*apply.Result, error) {
	if w.trouble != nil && w.trouble.after {
		_, err := w.apply(s, true)
		w.logf("trimming at once ended: %v", err)
	}
	plain := s
	plain.trim = nil
	if _, err := w.rest(plain); err != nil {
		return nil, err
	}
	if r, err := w.apply(s, true); err != nil || len(r.Failures) > 0 {
		return nil, fmt.Errorf("trimmed again: %w, %v", err, r.Failures)
	}
	return w.rest(plain)
}

// vet refuses a plan by which something else is done to a volume.
func (t *trimming) vet(p *plan.Plan) error {
	if p.Empty() {
		return nil
	}
	for i := range p.Passes[0].Sections {
		s, trims := &p.Passes[0].Sections[i], false
		if s.Kind != plan.KindVolume || !t.left[s.Name] {
			continue
		}
		for step := range s.Steps() {
			_, is := step.Op.(plan.Trim)
			trims = trims || is
		}
		if !trims {
			return fmt.Errorf("%s is not as configured, and nothing is trimmed", s.Key())
		}
	}
	return nil
}

func (t *trimming) done(v lineage.Volume) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.from[v.Name]
}

func (t *trimming) tell(v lineage.Volume, done backup.Trimmed, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from[v.Name] += done.Read
	if err != nil && t.failed == nil {
		t.failed = fmt.Errorf("trimming %s: %w", v, err)
	}
}

// cluster is that of all pools, in bytes.
const cluster = 128 << 10

// uses reports whether a cluster has a block that hosts write.
func uses(at int64) bool {
	for b := range blocks {
		if offset(b)/cluster == at/cluster {
			return true
		}
	}
	return false
}

// zero writes zeroes to all of the volume that its host does not use.
func (h *host) zero(ctx context.Context, size int64) error {
	for at := int64(0); at < size; at += cluster {
		if uses(at) {
			continue
		}
		if err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.WriteAt(ctx, make([]byte, cluster), at) }); err != nil {
			return err
		}
	}
	return nil
}

// regained checks of volumes that their hosts have left that each is reached again, and that
// a host and all current replicas have what they left.
func (w *world) regained(cfg *schema.Config) error {
	for _, v := range cfg.Volumes {
		h, err := w.idle(v.Name, true)
		may := w.still[h.id]
		if err != nil || may == nil || v.Export.Kind != schema.ExportNVMf {
			continue
		}
		var got content
		for b := range got {
			p := make([]byte, blockSize)
			if err := h.io(context.Background(), func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, p, offset(b)) }); err != nil {
				return fmt.Errorf("a host of %s: %w", v.Name, err)
			}
			if got[b], err = parseBlock(p); err != nil {
				return fmt.Errorf("a host of %s: block %d: %w", v.Name, b, err)
			}
		}
		h.close()
		if !slices.Contains(may, got) {
			return fmt.Errorf("nobody used %s, and a host sees %v", v.Name, got)
		}
	}
	return nil
}

// trimmed checks that all replicas of a volume that was trimmed are equal, byte for byte, and
// have nothing but what hosts have written that is not zero.
func (w *world) trimmed(v *sim.View, vol *schema.Volume, legs []state.CurrentLeg) error {
	if !w.sc.last().trim[vol.Name] {
		return nil
	}
	lvols := v.Lvols()
	var first []byte
	for _, leg := range legs {
		l, ok := find(lvols, leg)
		if !ok {
			return fmt.Errorf("the current replica of %s on %s is on no disk", vol.Name, leg.Node)
		}
		all := make([]byte, l.Size)
		if err := v.Read(l, all, 0); err != nil {
			return err
		}
		for at := int64(0); at < l.Size; at += cluster {
			if l.Has(at) != uses(at) {
				return fmt.Errorf("%s on %s has its cluster at %d: %v", l.Name, l.Node, at, l.Has(at))
			}
		}
		if first == nil {
			first = all
		}
		if !bytes.Equal(all, first) {
			return fmt.Errorf("%s on %s is not what there is on %s", l.Name, l.Node, legs[0].Node)
		}
	}
	return nil
}
