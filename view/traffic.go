package view

import (
	"time"

	"strata/state"
)

// counted adds up what bdevs have counted that served a volume, one after another.
type counted struct {
	Traffic
	from state.Served
	last state.Traffic
}

// add takes note of what a bdev has counted since it was made. What it had when it
// began to serve the volume was not this volume's hosts', or was counted before.
func (c *counted) add(from state.Served, now state.Traffic) {
	was := c.last
	switch {
	case c.from == (state.Served{}), c.from == from && grown(was, now):
	case c.from == from:
		was = state.Traffic{} // it was made again
	default:
		was = now
	}
	c.from, c.last = from, now
	reads, writes := now.Reads-was.Reads, now.Writes-was.Writes
	c.Reads += reads
	c.Writes += writes
	c.BytesRead += now.BytesRead - was.BytesRead
	c.BytesWritten += now.BytesWritten - was.BytesWritten
	c.ReadTime += now.ReadTime - was.ReadTime
	c.WriteTime += now.WriteTime - was.WriteTime
	c.ReadLate, c.WriteLate = mean(now.ReadTime-was.ReadTime, reads), mean(now.WriteTime-was.WriteTime, writes)
}

// grown reports whether one and the same bdev may have counted both.
func grown(was, now state.Traffic) bool {
	return now.Reads >= was.Reads && now.Writes >= was.Writes && now.BytesRead >= was.BytesRead &&
		now.BytesWritten >= was.BytesWritten && now.ReadTime >= was.ReadTime && now.WriteTime >= was.WriteTime
}

func mean(took time.Duration, n uint64) time.Duration {
	if n == 0 {
		return 0
	}
	return took / time.Duration(n)
}
