package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"strata/amount"
	"strata/apply"
	"strata/lineage"
)

// copies shows how far copies are: a bar each on a terminal, else a line now
// and then.
type copies struct {
	out  io.Writer
	bars *mpb.Progress // nil when the output is no terminal
	by   map[lineage.UUID]*copying
}

// copying is a copy in hand.
type copying struct {
	bar   *mpb.Bar
	start time.Time
	last  time.Time
}

// lineEvery is how often a copy is reported where there is no terminal.
const lineEvery = 5 * time.Second

func newCopies(out io.Writer) *copies {
	c := &copies{out: out, by: map[lineage.UUID]*copying{}}
	if f := terminal(out); f != nil {
		c.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
		c.out = &screen{out: c.bars}
	}
	return c
}

// update takes note of a copy's progress.
func (c *copies) update(at apply.Copy) {
	now := time.Now()
	k := c.by[at.Op.To]
	if k == nil {
		k = &copying{start: now, last: now}
		if c.bars != nil && at.Total > 0 {
			k.bar = c.bars.AddBar(at.Total,
				mpb.PrependDecorators(decor.Name(inLine(string(at.Op.Label))+"  ")),
				mpb.AppendDecorators(decor.Percentage(), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO)),
				mpb.BarRemoveOnComplete())
		}
		c.by[at.Op.To] = k
	}
	switch {
	case k.bar != nil:
		k.bar.SetCurrent(at.Copied)
	case now.Sub(k.last) >= lineEvery:
		k.last = now
		fmt.Fprintf(c.out, "  %s: %s\n", inLine(string(at.Op.Label)), describeCopy(at, now.Sub(k.start)))
	}
}

// over takes note of a copy's end, whichever it is: one that is begun again has
// a bar of its own.
func (c *copies) over(to lineage.UUID) {
	if k := c.by[to]; k != nil && k.bar != nil {
		k.bar.Abort(true)
	}
	delete(c.by, to)
}

// close writes what bars have held up. Nothing can be written after it.
func (c *copies) close() {
	for to := range c.by {
		c.over(to)
	}
	if c.bars != nil {
		c.bars.Wait()
	}
}

// describeCopy says how far a copy is, how fast, and how long it may still take.
func describeCopy(at apply.Copy, took time.Duration) string {
	if at.Total == 0 || at.Copied == 0 {
		return "begun"
	}
	cluster := at.Op.Bytes / at.Total
	rate := float64(at.Copied*cluster) / max(took.Seconds(), 0.001)
	left := time.Duration(float64((at.Total-at.Copied)*cluster) / rate * float64(time.Second))
	return fmt.Sprintf("%d of %d clusters, %s/s, %s left", at.Copied, at.Total, amount.Bytes(int64(rate)>>20<<20), left.Round(time.Second))
}
