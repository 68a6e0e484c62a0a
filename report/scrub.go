package report

import (
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Scrub is what the places of a volume's current replicas say of when its layers were compared.
type Scrub struct {
	Every int64 `json:"every,omitempty"` // seconds; 0: that is not configured
	// Time is when the last round began that came to its end, of the replica for which that is
	// longest ago (RFC 3339); "" where one was in none.
	Time string `json:"time,omitempty"`
	// Newer are the nodes of replicas that were in no round yet, such as one that was copied
	// again since, where others were; Others is the Time of those then.
	Newer  []lineage.Node `json:"newer,omitempty"`
	Others string         `json:"others,omitempty"`
	// Began is when the round began that is in hand; "" for none.
	Began  string         `json:"began,omitempty"`
	Copies []ScrubbedCopy `json:"copies,omitempty"` // those that are not well, or of which nobody knows
}

// ScrubbedCopy is a replica with a layer that is not like those of others, or is not as it was.
type ScrubbedCopy struct {
	Node    lineage.Node `json:"node"`
	Lvstore string       `json:"lvstore"`
	// Damaged is the oldest layer that is known to be damaged there, or what got what that had
	// when it was deleted; "" for none.
	Damaged lineage.LvolName `json:"damaged,omitempty"`
	// Differs is set when a layer differs, and nobody knows whether it should.
	Differs bool `json:"differs,omitempty"`
}

// Damaged counts the replicas that have a layer which is known to be damaged.
func (s *Scrub) Damaged() (n int) {
	for _, c := range s.Copies {
		if c.Damaged != "" {
			n++
		}
	}
	return n
}

// Differing counts those that have one which differs.
func (s *Scrub) Differing() (n int) {
	for _, c := range s.Copies {
		if c.Differs {
			n++
		}
	}
	return n
}

// scrub is nil where nothing is configured, and nothing is known.
func scrub(v *schema.Volume, inc *state.Incarnation, verdict state.Verdict) *Scrub {
	out, known := &Scrub{}, v.Scrub != nil
	if v.Scrub != nil {
		out.Every = v.Scrub.Every
	}
	oldest, began := int64(0), int64(0)
	for _, leg := range verdict.Legs {
		if leg.Head == nil {
			continue
		}
		at := leg.Place()
		known = known || inc.Scrubbed(at) != nil
		is := inc.ScrubbedAt(at)
		began = max(began, is.Began)
		switch {
		case is.Whole == 0:
			out.Newer = append(out.Newer, at.Node)
		case oldest == 0 || is.Whole < oldest:
			oldest = is.Whole
		}
		c := ScrubbedCopy{Node: at.Node, Lvstore: at.Lvstore, Damaged: inc.Damaged(at), Differs: is.Differs}
		if c.Differs || c.Damaged != "" {
			out.Copies = append(out.Copies, c)
		}
	}
	if !known {
		return nil
	}
	switch {
	case oldest == 0:
		out.Newer = nil
	case len(out.Newer) > 0:
		out.Others = stamp(oldest)
	default:
		out.Time = stamp(oldest)
	}
	if began > 0 {
		out.Began = stamp(began)
	}
	return out
}
