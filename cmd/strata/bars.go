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
	"strata/report"
)

// copies shows how far copies are: a bar each on a terminal, else a line now
// and then.
type copies struct {
	out  io.Writer
	bars *mpb.Progress // nil when the output is no terminal
	on   *canvas       // has the bars
	by   map[string]*copying
	all  overall
	last time.Time // when a line told of all
	bar  *mpb.Bar  // of all; nil when there is none
}

// copying is a copy in hand.
type copying struct {
	report.Rate
	bar  *mpb.Bar
	last time.Time // when a line told of it
}

// lineEvery is how often a copy is reported where there is no terminal, and all of them
// together.
const lineEvery = 10 * time.Second

func newCopies(out io.Writer) *copies {
	c := &copies{out: out, by: map[string]*copying{}}
	if f := terminal(out); f != nil {
		c.on = &canvas{out: f, size: sizeOf(f)}
		c.bars = onCanvas(c.on)
		s := &screen{out: c.bars}
		s.width = widthOf(f)
		c.out = s
	}
	return c
}

// whose says of which volume a copy is, and where it goes.
func whose(at apply.Copy) string {
	name, ok := lineage.Parse(at.Layer)
	if !ok {
		return string(at.Label)
	}
	to := string(at.To)
	if to == "" {
		to = at.Archive
	}
	if to == "" {
		return string(name.Of().Name)
	}
	return string(name.Of().Name) + " to " + to
}

// update takes note of a copy's progress.
func (c *copies) update(at apply.Copy) {
	now := time.Now()
	k := c.by[at.Key]
	if k == nil {
		k = &copying{last: now}
		if c.bars != nil && at.Total > 0 {
			k.bar = c.bars.MustAdd(at.Total, c.on.filler(),
				mpb.PrependDecorators(decor.Name(barMark+inLine(whose(at))+" ")),
				mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
					return amount.About(at.Bytes(s.Current)) + " of " + amount.About(at.Size) + ", " + k.Going(time.Now())
				})),
				mpb.BarRemoveOnComplete())
		}
		c.by[at.Key] = k
	}
	c.tellAll(at, now)
	k.Tell(report.Progress{Copied: at.Copied, Total: at.Total, Cluster: at.Bytes(1)}, now)
	switch {
	case k.bar != nil:
		k.bar.SetCurrent(at.Copied)
	case now.Sub(k.last) >= lineEvery:
		k.last = now
		fmt.Fprintf(c.out, "  %s: %s of %s, %s\n", inLine(whose(at)), amount.About(at.Bytes(at.Copied)), amount.About(at.Size), k.Going(now))
	}
}

// tellAll tells how far all copying is, if it is known what there will be and that is more
// than the one copy in hand.
func (c *copies) tellAll(at apply.Copy, now time.Time) {
	copied, total := c.all.copying(at, now)
	if total <= at.Size {
		return
	}
	if c.last.IsZero() {
		c.last = now
	}
	switch {
	case c.bars == nil && now.Sub(c.last) >= lineEvery:
		c.last = now
		fmt.Fprintf(c.out, "  %s\n", c.all.words(copied, total, now))
	case c.bars != nil && c.bar == nil:
		c.bar = c.bars.MustAdd(total, c.on.filler(), mpb.BarPriority(1<<30), mpb.PrependDecorators(decor.Name(barMark+"in all  ")),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
				return amount.About(s.Current) + " of " + amount.About(s.Total) + ", " + c.all.rate.Going(time.Now())
			})),
			mpb.BarRemoveOnComplete())
		fallthrough
	case c.bars != nil:
		c.bar.SetCurrent(min(copied, total))
	}
}

// over takes note of a copy's end, whichever it is: one that is begun again has
// a bar of its own.
func (c *copies) over(to string) {
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
	if c.bar != nil {
		c.bar.Abort(true)
	}
	if c.bars != nil {
		c.bars.Wait()
	}
}
