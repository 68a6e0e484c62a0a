package report

import (
	"strata/schema"
	"strata/state"
)

// Limits are what hosts get of a volume at most; 0 is no limit.
type Limits struct {
	IOPS  int64 `json:"iops,omitempty"`           // reads and writes a second
	Read  int64 `json:"readBandwidth,omitempty"`  // bytes a second
	Write int64 `json:"writeBandwidth,omitempty"` // bytes a second
}

// String says what they are.
func (l *Limits) String() string {
	return schema.Limits(*l).String()
}

// limits are those of what the engine serves, as its target has them.
func limits(s *state.Snapshot, verdict state.Verdict) *Limits {
	at := s.Nodes[verdict.Engine]
	if at == nil {
		return nil
	}
	l := at.LimitsOf(verdict.Device)
	if l == (state.Limits{}) {
		return nil
	}
	return &Limits{l.IOPS, l.Read, l.Write}
}
