package recipe

import (
	"fmt"
	"strings"

	"strata/plan/retention"
	"strata/schema"
	"strata/state"
)

// markPrefix begins the name of strata's own rolling layer. A replica that
// comes back after its engine crashed lacks no more than what was written
// since the last one.
const markPrefix = "mark-"

// nextMark names the mark that is due, and says why.
func (s *subject) nextMark(all []*layer) (name, why string) {
	if s.v.ResyncSec == 0 || s.b.opt.Now == 0 || len(s.Legs) < 2 || len(s.Legs) < s.v.Replicas.Count {
		return "", ""
	}
	var last int64
	if m := s.youngestMark(all); m != nil {
		last, _ = markedAt(m.Snapshot)
	}
	if s.ahead(last) {
		last = 0
	}
	if s.b.opt.Now < last+s.v.ResyncSec {
		return "", ""
	}
	name = markPrefix + strings.TrimPrefix(retention.Name(s.b.opt.Now), schema.AutoPrefix)
	return name, fmt.Sprintf("resync is %s: a replica that comes back is to lack no more", duration(s.v.ResyncSec))
}

func markedAt(snapshot string) (int64, bool) {
	rest, ok := strings.CutPrefix(snapshot, markPrefix)
	if !ok {
		return 0, false
	}
	return retention.Time(schema.AutoPrefix + rest)
}

func (s *subject) youngestMark(all []*layer) *layer {
	var youngest *layer
	for _, l := range all {
		if _, ok := markedAt(l.Snapshot); ok && l.Own && s.committed(l) {
			youngest = l
		}
	}
	return youngest
}

// needed reports whether a layer of strata's own has a use: the youngest mark
// while resync is configured, and whatever a replica that is to be rebuilt has
// of them, for then it need not be copied.
func (s *subject) needed(all []*layer, l *layer) bool {
	if s.v.ResyncSec > 0 && l == s.youngestMark(all) {
		return true
	}
	if state.Spread(s.Legs) >= s.v.Replicas.Count && !s.lacks() {
		return false
	}
	for _, o := range s.inc.Others {
		if o.Lvol.Name == l.Lvol() && !s.legAt(o.Place()) {
			return true
		}
	}
	return false
}
