// Package retention says which of a volume's snapshots on schedule its policy
// keeps, and which are recorded in an archive, for how long. It knows their names, which have times, and nothing of where they are.
package retention

import (
	"fmt"
	"slices"
	"time"

	"strata/schema"
)

// Retained is what a policy says of one snapshot on schedule.
type Retained struct {
	Snapshot string
	Keep     bool
	Reason   string
}

// ClockSkew is by how many seconds the clocks of those who plan may differ.
const ClockSkew = 5 * 60

// Ahead reports whether a time has not come yet at another, both in Unix seconds:
// the clock was ahead by which a snapshot was taken, or this one is behind.
func Ahead(t, now int64) bool { return t > now+ClockSkew }

// Late reports whether a time is over at another, both in Unix seconds, by more than
// clocks may differ.
func Late(t, now int64) bool { return now > t+ClockSkew }

// Last is when the last of the snapshots on schedule was taken, in Unix seconds, those of
// a time that has not come aside; 0 for never.
func Last(snapshots []string, now int64) (last int64) {
	for _, s := range snapshots {
		if t, ok := Time(s); ok && !Ahead(t, now) {
			last = max(last, t)
		}
	}
	return last
}

// Due is when the next snapshot of a volume with a schedule is due, or was, in Unix seconds.
func Due(v *schema.Volume, snapshots []string, now int64) int64 {
	if at := now / v.Every * v.Every; Last(snapshots, now) < at {
		return at
	}
	return (now/v.Every + 1) * v.Every
}

// LetGo returns those of a volume's snapshots that its policy lets go at a time,
// with the reason, and those of a time that has not come, which take no place
// among those that are kept, and stay. There are none of either if the volume has
// no schedule, or now is 0.
//
// What is let go is the same when some of it is gone already.
func LetGo(v *schema.Volume, snapshots []string, now int64) (gone map[string]string, ahead []string) {
	if v.Every == 0 || now == 0 {
		return nil, nil
	}
	return letGo(v.Keep, snapshots, now)
}

func letGo(keep schema.Keep, snapshots []string, now int64) (gone map[string]string, ahead []string) {
	var have []string
	for _, s := range snapshots {
		if t, ok := Time(s); ok && Ahead(t, now) {
			ahead = append(ahead, s)
		} else {
			have = append(have, s)
		}
	}
	gone = map[string]string{}
	for _, r := range Retain(have, keep) {
		if !r.Keep {
			gone[r.Snapshot] = r.Reason
		}
	}
	return gone, ahead
}

// Retain applies a policy to the snapshots on schedule that a volume has. The
// last one of each of the latest so many hours, days, weeks and months that
// have any is kept, and always the youngest: what is pruned is never what the
// next one is measured from. The result is oldest first, and has each name once.
func Retain(snapshots []string, keep schema.Keep) []Retained {
	var out []Retained
	for _, s := range slices.Compact(slices.Sorted(slices.Values(snapshots))) {
		if _, ok := Time(s); ok {
			out = append(out, Retained{Snapshot: s})
		}
	}
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
			t, _ := Time(out[i].Snapshot)
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
