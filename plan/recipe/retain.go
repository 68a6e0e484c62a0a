package recipe

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/plan"
	"strata/schema"
)

// Retained is what a retention policy says of one snapshot on schedule.
type Retained struct {
	Snapshot string
	Keep     bool
	Reason   string
}

const (
	hour = 60 * 60
	day  = 24 * hour
)

// ClockSkew is by how many seconds the clocks of those who plan may differ.
const ClockSkew = 5 * 60

// Retain applies a policy to the snapshots on schedule that a volume has. The
// last one of each of the latest so many hours, days, weeks and months that
// have any is kept, and always the youngest: what is pruned is never what the
// next one is measured from. The result is oldest first.
func Retain(snapshots []string, keep schema.Keep) []Retained {
	var out []Retained
	for _, s := range snapshots {
		if _, ok := scheduledAt(s); ok {
			out = append(out, Retained{Snapshot: s})
		}
	}
	slices.SortFunc(out, func(a, b Retained) int { return strings.Compare(a.Snapshot, b.Snapshot) })
	rules := []struct {
		name   string
		keep   int
		period func(time.Time) string
	}{
		{"hourly", keep.Hourly, func(t time.Time) string { return t.Format("2006-01-02 15") }},
		{"daily", keep.Daily, func(t time.Time) string { return t.Format("2006-01-02") }},
		{"weekly", keep.Weekly, func(t time.Time) string { return fmt.Sprint(t.ISOWeek()) }}, // weeks begin on Monday
		{"monthly", keep.Monthly, func(t time.Time) string { return t.Format("2006-01") }},
	}
	for _, r := range rules {
		last, n := "", 0
		for i := len(out) - 1; i >= 0 && n < r.keep; i-- {
			t, _ := scheduledAt(out[i].Snapshot)
			if p := r.period(utc(t)); p != last {
				last = p
				n++
				out[i].keepFor(fmt.Sprintf("%s %d of %d", r.name, n, r.keep))
			}
		}
	}
	for i := range out {
		if i == len(out)-1 {
			out[i].keepFor("the youngest")
		}
		if !out[i].Keep {
			out[i].Reason = "no rule of keep holds it"
		}
	}
	return out
}

func (r *Retained) keepFor(reason string) {
	if r.Keep {
		reason = r.Reason + ", " + reason
	}
	r.Keep, r.Reason = true, reason
}

// scheduled names the snapshot that is due by the schedule, and says why.
func (s *subject) scheduled(all []*layer) (name, why string) {
	if s.v.Every == 0 || s.b.opt.Now == 0 {
		return "", ""
	}
	var last int64
	for _, l := range all {
		if t, ok := scheduledAt(l.Snapshot); ok && !l.Own && s.committed(l) && !s.ahead(t) {
			last = max(last, t)
		}
	}
	due := s.b.opt.Now / s.v.Every * s.v.Every
	if last >= due {
		return "", ""
	}
	name = scheduledName(s.b.opt.Now)
	if s.find(all, name) != nil {
		return "", "" // names have minutes; the next one waits for the next minute
	}
	if last == 0 {
		return name, fmt.Sprintf("one is due every %s", duration(s.v.Every))
	}
	return name, fmt.Sprintf("one is due every %s, and the last is of %s", duration(s.v.Every), clock(last))
}

// ahead reports whether a time has not come yet: the clock was ahead by which a
// snapshot was taken, or this one is behind. The schedule must not wait for it.
func (s *subject) ahead(t int64) bool { return t > s.b.opt.Now+ClockSkew }

// pruned returns the snapshots on schedule that the policy lets go, with the
// reason. One of a time that has not come takes no place among those that are
// kept, and stays.
func (s *subject) pruned(all []*layer) map[string]string {
	if s.v.Every == 0 || s.b.opt.Now == 0 {
		return nil
	}
	var have []string
	gone := map[string]string{}
	for _, l := range all {
		if l.Own || !s.committed(l) {
			continue
		}
		t, ok := scheduledAt(l.Snapshot)
		if !ok || !s.ahead(t) {
			have = append(have, l.Snapshot)
			continue
		}
		if s.b.opt.AllowDestroy.Layer(s.v.Name, l.Snapshot) && !s.v.Protect {
			gone[l.Snapshot] = "its time has not come, and it was released"
			continue
		}
		s.b.note("volume "+s.v.Name, s.v.At("every"), "see to the clocks; "+plan.LayerGrant(s.v.Name, l.Snapshot).Flag()+" lets it go, if the volume is not protected",
			"snapshot %s is of a time that has not come: a clock was ahead when it was taken, or this one is behind, at %s. The schedule goes on without it, and keep counts it from then on", l.Snapshot, clock(s.b.opt.Now))
	}
	for _, r := range Retain(have, s.v.Keep) {
		if !r.Keep {
			gone[r.Snapshot] = r.Reason
		}
	}
	return gone
}

// stamp is how the name of a snapshot on schedule has its time, which is UTC.
const stamp = schema.AutoPrefix + "20060102-1504"

// scheduledName is the name of a snapshot taken at a time: auto-20261120-1930, UTC.
func scheduledName(t int64) string { return utc(t).Format(stamp) }

// scheduledAt is the inverse of scheduledName.
func scheduledAt(name string) (int64, bool) {
	t, err := time.Parse(stamp, name)
	if err != nil {
		return 0, false
	}
	return t.Unix(), t.Format(stamp) == name
}

func clock(t int64) string { return utc(t).Format("2006-01-02 15:04 UTC") }

// utc is a time in Unix seconds. A plan is the same in every time zone.
func utc(t int64) time.Time { return time.Unix(t, 0).UTC() }

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
