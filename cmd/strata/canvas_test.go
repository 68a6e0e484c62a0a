package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vbauerster/mpb/v8"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
)

// window is a terminal as most are today: lines that do not fit any more when it becomes
// narrower go on in the next row, and come together when it becomes wider again.
type window struct {
	width, height int
	lines         []string // the cursor is at the beginning of the last
}

var windowUp = regexp.MustCompile(`\x1b\[(\d+)A\x1b\[J`)

func (w *window) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		at := windowUp.FindStringSubmatchIndex(text)
		if at == nil {
			at = []int{len(text), len(text), 0, 0}
		}
		w.put(text[:at[0]])
		if n, err := strconv.Atoi(text[at[2]:at[3]]); err == nil {
			w.up(n)
		}
		text = text[at[1]:]
	}
	return len(b), nil
}

func (w *window) put(text string) {
	if w.lines == nil {
		w.lines = []string{""}
	}
	for i, part := range strings.Split(text, "\n") {
		if i > 0 {
			w.lines = append(w.lines, "")
		}
		w.lines[len(w.lines)-1] += part
	}
}

// up goes up by n rows, and erases from there on.
func (w *window) up(n int) {
	for last := len(w.lines) - 1; n > 0 && last > 0; last-- {
		has := rows([]int{len([]rune(w.lines[last-1]))}, w.width)
		if n < has {
			w.lines = append(w.lines[:last-1], string([]rune(w.lines[last-1])[:(has-n)*w.width]))
			return
		}
		n -= has
		w.lines = append(w.lines[:last-1], "")
	}
}

// TestBarsAtResize: whatever becomes of the window between two frames, what is left when
// copies are over is what was said, and no bar.
func TestBarsAtResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &window{width: 80, height: 24}
		draw := make(chan any)
		c := newCopies(w)
		c.on = &canvas{out: w, size: func() (int, int) { return w.width, w.height }}
		c.bars = onCanvas(c.on, mpb.WithManualRefresh(draw))
		c.out = &screen{out: c.bars}
		copies := make([]apply.Copy, 3)
		for i := range copies {
			copies[i], _ = apply.CopyOf(plan.ShallowCopy{Label: "db", To: lineage.UUID(fmt.Sprint("u", i)), Bytes: 100 << 20})
		}
		said := ""
		for i, size := range [][2]int{{80, 24}, {41, 24}, {20, 24}, {80, 24}, {33, 3}, {120, 24}, {7, 5}, {80, 24}} {
			w.width, w.height = size[0], size[1]
			for j := range copies {
				copies[j].Copied, copies[j].Total = int64(10*i), 100
				c.update(copies[j])
			}
			said += fmt.Sprintf("step %d\n", i)
			fmt.Fprintf(c.out, "step %d\n", i)
			time.Sleep(time.Second)
			draw <- time.Now()
			synctest.Wait()
			all := strings.Join(w.lines, "\n")
			shown := w.lines[i+1:]
			if !strings.HasPrefix(all, said) || len(shown) != min(3, size[1]-1)+1 {
				t.Fatalf("at %d by %d it shows:\n%s", size[0], size[1], all)
			}
			for _, line := range shown {
				if len([]rune(line)) > size[0] {
					t.Errorf("%q does not fit in %d columns", line, size[0])
				}
			}
		}
		all := strings.Join(w.lines, "\n")
		if want := "db  [============>-----] 70Mi of 100Mi, "; !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
		for _, k := range copies {
			c.over(k.Key)
		}
		for range 4 { // one for bars to end in, and to be gone
			draw <- time.Now()
			synctest.Wait()
		}
		c.close()
		if all := strings.Join(w.lines, "\n"); all != said {
			t.Errorf("left is %q", all)
		}
	})
}
