package retention

import (
	"slices"

	"strata/schema"
)

// Forgets returns those of a volume's records of snapshots on schedule that its policy lets
// go at a time, with the reason, by the names of the snapshots: all records of one
// incarnation that there are. The youngest is never among them.
//
// Like LetGo, it says of what is left the same when some of it is gone.
func Forgets(b *schema.Backup, recorded []string, now int64) map[string]string {
	if b.Keep == (schema.Keep{}) || now == 0 {
		return nil
	}
	gone, _ := letGo(b.Keep, recorded, now)
	return gone
}

// Forgot is what Forgets said at an earlier time, when there were no younger records: what
// is still there of it is overdue.
func Forgot(b *schema.Backup, recorded []string, then int64) map[string]string {
	return Forgets(b, slices.DeleteFunc(slices.Clone(recorded), func(s string) bool {
		t, ok := Time(s)
		return !ok || t > then
	}), then)
}

// Records returns those of a volume's snapshots on schedule that are to be in its archive
// at a time, and are not: of each period the first, and none that the policy would let go
// at once. Both lists are of one incarnation. Without a clock, there are none where a period
// or a policy is set.
func Records(b *schema.Backup, snapshots, recorded []string, now int64) map[string]bool {
	wanted := map[string]bool{}
	timed := b.Every > 0 || b.Keep != schema.Keep{}
	if timed && now == 0 {
		return wanted
	}
	last := int64(-1) // the period of the youngest: it stays, and those before have had their turn
	for _, s := range recorded {
		if t, ok := Time(s); ok && b.Every > 0 {
			last = max(last, t/b.Every)
		}
	}
	for _, s := range slices.Sorted(slices.Values(snapshots)) {
		t, ok := Time(s)
		if !ok || timed && Ahead(t, now) || slices.Contains(recorded, s) {
			continue
		}
		if b.Every > 0 {
			if t/b.Every <= last {
				continue
			}
			last = t / b.Every
		}
		wanted[s] = true
	}
	all := slices.Clone(recorded)
	for s := range wanted {
		all = append(all, s)
	}
	for s := range Forgets(b, all, now) {
		delete(wanted, s)
	}
	return wanted
}
