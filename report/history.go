package report

import "time"

// History knows since when volumes are not healthy: it has seen them change.
// The zero value has seen nothing. It serves one at a time.
type History struct {
	seen map[string]past // by volume
}

// past is what was last seen of a volume.
type past struct {
	health Health
	since  time.Time // when it was seen to be that; zero when it was so already
}

// Note takes note of a report of now, and puts into it since when each volume is as
// it is. It says nothing of a volume that was not healthy when it was first seen.
func (h *History) Note(r *Report, now time.Time) {
	next := make(map[string]past, len(r.Volumes))
	for i := range r.Volumes {
		v := &r.Volumes[i]
		key := v.Key()
		p, known := h.seen[key]
		switch {
		case !known:
			p = past{health: v.Health}
		case v.Health == Healthy:
			p = past{health: Healthy}
		case p.health == Healthy:
			p = past{health: v.Health, since: now}
		default:
			p.health = v.Health // since it was healthy
		}
		next[key] = p
		if v.Since = ""; v.Health != Healthy && !p.since.IsZero() {
			v.Since = p.since.UTC().Format(time.RFC3339)
		}
	}
	h.seen = next
}
