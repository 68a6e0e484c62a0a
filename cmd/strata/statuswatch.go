package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"strata/amount"
	"strata/report"
)

// watchStatus shows what there is again and again, until somebody ends it. On a
// terminal it draws over what was there; elsewhere it prints what is new.
func watchStatus(ctx context.Context, w io.Writer, look func(context.Context) (*report.Report, error), every time.Duration, asJSON bool) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	shown := &changes{out: w, asJSON: asJSON}
	var show func(*report.Report, time.Time) error = shown.show
	if f := terminal(w); f != nil && !asJSON {
		p := &picture{out: w, terminal: f}
		show = p.show
	}
	var history report.History
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		r, err := look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		history.Note(r, now)
		if err := show(r, now); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// changes prints a report when it is another than the one before.
type changes struct {
	out    io.Writer
	asJSON bool
	last   []byte
	rates  copyRates
}

func (c *changes) show(r *report.Report, now time.Time) error {
	c.rates.tell(r, now)
	var text []byte
	if c.asJSON {
		var err error
		if text, err = json.Marshal(r); err != nil {
			return err
		}
		text = append(text, '\n')
	} else {
		text = []byte(statusText(r, nil) + "\n")
	}
	if bytes.Equal(text, c.last) {
		return nil
	}
	c.last = text
	if !c.asJSON {
		text = fmt.Appendf(nil, "%s\n%s\n\n", now.UTC().Format(time.RFC3339), statusText(r, c.rates.going(now)))
	}
	_, err := c.out.Write(text)
	return err
}

// picture draws reports over one another.
type picture struct {
	out      io.Writer
	terminal *os.File
	drawn    []int // how wide the lines above the cursor are
	rates    copyRates
}

func (p *picture) show(r *report.Report, now time.Time) error {
	p.rates.tell(r, now)
	width, height, err := term.GetSize(p.terminal.Fd())
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	text := fmt.Sprintf("%s\n%s", faint.Render(now.Format(time.TimeOnly)+"  ^C ends"), statusText(r, p.rates.going(now)))
	lines := fit(strings.Split(text, "\n"), width, height-1)
	escape := string(ours)
	var out strings.Builder
	if up := rows(p.drawn, width); up > 0 {
		fmt.Fprintf(&out, "%s[%dF", escape, up) // to the first of them
	}
	p.drawn = p.drawn[:0]
	for _, line := range lines {
		out.WriteString(line + escape + "[K\n")
		p.drawn = append(p.drawn, ansi.StringWidth(strings.ReplaceAll(line, escape, "\x1b")))
	}
	out.WriteString(escape + "[J")
	_, err = io.WriteString(p.out, out.String())
	return err
}

// rows is how many rows of a terminal lines take: one that has become narrower since they
// were drawn has broken them.
func rows(drawn []int, width int) (n int) {
	for _, w := range drawn {
		n += max(1, (w+width-1)/width)
	}
	return n
}

// fit cuts lines to what a terminal has room for.
func fit(lines []string, width, height int) []string {
	if height = max(height, 2); len(lines) > height {
		more := len(lines) - height + 1
		lines = append(lines[:height-1:height-1], fmt.Sprintf("… %s; name volumes to see only those", amount.Of(more, "more line")))
	}
	for i, line := range lines {
		plain := strings.ReplaceAll(line, string(ours), "\x1b")
		lines[i] = strings.ReplaceAll(ansi.Truncate(plain, width, "…"), "\x1b", string(ours))
	}
	return lines
}

// copyRates knows how fast copies go.
type copyRates struct{ by map[string]*report.Rate }

func (c *copyRates) tell(r *report.Report, now time.Time) {
	next := map[string]*report.Rate{}
	for _, k := range r.Copies {
		rate := c.by[k.Key()]
		if rate == nil {
			rate = &report.Rate{}
		}
		rate.Tell(k.Progress(), now)
		next[k.Key()] = rate
	}
	c.by = next
}

func (c *copyRates) going(now time.Time) func(report.Copy) string {
	return func(k report.Copy) string {
		if rate := c.by[k.Key()]; rate != nil && k.Total > 0 {
			return rate.Going(now)
		}
		return "under way"
	}
}
