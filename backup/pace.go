package backup

import "time"

// caughtUp is of how long what was missed is taken at full speed afterwards: it makes up for the
// time that a chunk is on its way.
const caughtUp = time.Second / 4

// pace bounds how much is taken, by a rate in bytes a second. It is no average: after whoever
// sends has stood still, hosts are not met by all that it has missed.
type pace struct {
	rate int64 // 0: as fast as it comes
	free time.Time
}

// take is when so many bytes that have come now are within the rate.
func (p *pace) take(now time.Time, n int64) time.Time {
	if p.rate == 0 {
		return now
	}
	if p.free.IsZero() {
		p.free = now
	}
	if earliest := now.Add(-caughtUp); p.free.Before(earliest) {
		p.free = earliest
	}
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	return p.free
}
