package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// canvas is where mpb draws bars below lines that scroll. mpb goes up by as many rows as it has
// drawn; a terminal that has become narrower since has broken those, and would keep some. So a
// canvas takes mpb's way up out, goes up by as many rows as the bars have there now, and cuts
// bars to the room that there is.
type canvas struct {
	out   io.Writer
	size  func() (width, height int)
	drawn []int // how wide the bars above the cursor are
}

// barMark begins the line of a bar. Nothing else that is written has it: screens let none
// through.
const barMark = "\x00"

// mpbUp is how mpb goes up to the first of its bars.
var mpbUp = regexp.MustCompile(`^\x1b\[\d+A\x1b\[J`)

// roomy is more than any line of a bar needs, and any number of bars: what there is room for the
// canvas finds out.
const roomy = 4096

// onCanvas returns bars on a canvas.
func onCanvas(c *canvas, options ...mpb.ContainerOption) *mpb.Progress {
	return mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(c), mpb.WithWidth(roomy), mpb.WithAutoRefresh()}, options...)...)
}

// sizeOf is how wide and high a terminal is now.
func sizeOf(terminal *os.File) func() (width, height int) {
	return func() (int, int) {
		width, height, err := term.GetSize(terminal.Fd())
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}
}

// Write takes what mpb writes at once: the way up, lines, and bars.
func (c *canvas) Write(frame []byte) (int, error) {
	width, height := c.size()
	var out bytes.Buffer
	if up := rows(c.drawn, width); up > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\x1b[J", up)
	}
	c.drawn = c.drawn[:0]
	for line := range strings.Lines(string(mpbUp.ReplaceAll(frame, nil))) {
		bar, is := strings.CutPrefix(line, barMark)
		switch {
		case !is:
			out.WriteString(line)
		case len(c.drawn) < height-1:
			bar = ansi.Truncate(strings.TrimRight(bar, " \n"), width, "…")
			c.drawn = append(c.drawn, ansi.StringWidth(bar))
			out.WriteString(bar + "\n")
		}
	}
	_, err := c.out.Write(out.Bytes())
	return len(frame), err
}

// filler draws a bar that leaves room beside it for what is said of it.
func (c *canvas) filler() mpb.BarFiller {
	bar := mpb.BarStyle().Build()
	return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		width, _ := c.size()
		s.RequestedWidth = min(max(width/4, 6), 40)
		return bar.Fill(w, s)
	})
}
