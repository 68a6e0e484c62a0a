package recipe

import (
	"fmt"

	"strata/plan"
	"strata/plan/retention"
)

const (
	hour = 60 * 60
	day  = 24 * hour
)

// scheduled names the snapshot that is due by the schedule, and says why.
func (s *subject) scheduled(all []*layer) (name, why string) {
	if s.v.Every == 0 || s.b.opt.Now == 0 {
		return "", ""
	}
	have := s.counted(all)
	if retention.Due(s.v, have, s.b.opt.Now) > s.b.opt.Now {
		return "", ""
	}
	name = retention.Name(s.b.opt.Now)
	if s.find(all, name) != nil {
		return "", "" // names have minutes; the next one waits for the next minute
	}
	last := retention.Last(have, s.b.opt.Now)
	if last == 0 {
		return name, fmt.Sprintf("one is due every %s", duration(s.v.Every))
	}
	return name, fmt.Sprintf("one is due every %s, and the last is of %s", duration(s.v.Every), retention.Clock(last))
}

// counted are the names of the snapshots that count.
func (s *subject) counted(all []*layer) (names []string) {
	for _, l := range all {
		if !l.Own && s.committed(l) {
			names = append(names, l.Snapshot)
		}
	}
	return names
}

// ahead reports whether a time has not come yet: the schedule must not wait for it.
func (s *subject) ahead(t int64) bool { return retention.Ahead(t, s.b.opt.Now) }

// pruned returns the snapshots on schedule that the policy lets go, with the
// reason. One of a time that has not come goes if it was released.
func (s *subject) pruned(all []*layer) map[string]string {
	gone, ahead := retention.LetGo(s.v, s.counted(all), s.b.opt.Now)
	delete(gone, s.recordedLast())
	for _, name := range ahead {
		if s.b.opt.AllowDestroy.Layer(s.v.Name, name) && !s.v.Protect {
			gone[name] = "its time has not come, and it was released"
			continue
		}
		s.b.note("volume "+s.v.Name, s.v.At("every"), "see to the clocks; "+plan.LayerGrant(s.v.Name, name).Flag()+" lets it go, if the volume is not protected",
			"snapshot %s is of a time that has not come: a clock was ahead when it was taken, or this one is behind, at %s. The schedule goes on without it, and keep counts it from then on", name, retention.Clock(s.b.opt.Now))
	}
	return gone
}

func duration(seconds int64) string {
	switch {
	case seconds%day == 0:
		return fmt.Sprintf("%dd", seconds/day)
	case seconds%hour == 0:
		return fmt.Sprintf("%dh", seconds/hour)
	case seconds%60 == 0:
		return fmt.Sprintf("%dm", seconds/60)
	}
	return fmt.Sprintf("%ds", seconds)
}
