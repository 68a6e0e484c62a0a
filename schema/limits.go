package schema

import (
	"fmt"
	"strings"

	"strata/amount"
)

// Limits are what hosts get of a volume at most; 0 is no limit.
type Limits struct {
	IOPS  int64 `json:",omitempty"` // reads and writes a second
	Read  int64 `json:",omitempty"` // bytes a second
	Write int64 `json:",omitempty"` // bytes a second
}

// Targets count I/O in thousands and bytes in MiB, and round up.
const (
	limitedIOPS  = 1000
	limitedBytes = 1 << 20

	maxIOPS = 1_000_000_000
)

// OnTarget are the limits as a target takes them.
func (l Limits) OnTarget() Limits {
	up := func(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
	return Limits{up(l.IOPS, limitedIOPS), up(l.Read, limitedBytes), up(l.Write, limitedBytes)}
}

// String says what they are, in words; "" for none.
func (l Limits) String() string {
	var most []string
	if l.IOPS > 0 {
		most = append(most, fmt.Sprintf("%d reads and writes a second", l.IOPS))
	}
	if l.Read > 0 {
		most = append(most, fmt.Sprintf("%s read a second", amount.Bytes(l.Read)))
	}
	if l.Write > 0 {
		most = append(most, fmt.Sprintf("%s written a second", amount.Bytes(l.Write)))
	}
	return strings.Join(most, ", ")
}

// limits reads what hosts get at most.
func (s *spot) limits(l *Limits) {
	if s == nil {
		return
	}
	o, ok := s.object("a struct such as {iops: 20000, writeBandwidth: 200Mi}")
	if !ok {
		return
	}
	o.only(limitsFields)
	o.field("iops").limit(&l.IOPS, "reads and writes a second from 1000 to 1000000000", limitedIOPS, maxIOPS)
	o.field("readBandwidth").limit(&l.Read, "bytes a second from 1Mi to 1Pi", minBandwidth, maxSize)
	o.field("writeBandwidth").limit(&l.Write, "bytes a second from 1Mi to 1Pi", minBandwidth, maxSize)
}
