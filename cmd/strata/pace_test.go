package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vbauerster/mpb/v8"

	"strata/apply"
	"strata/plan"
)

// TestCopyLines has copies go at several paces and reads the lines about them.
func TestCopyLines(t *testing.T) {
	const mi, ti = 1 << 20, 1 << 40
	tests := []struct {
		name    string
		cluster int64                       // bytes
		total   int64                       // clusters
		at      func(time.Duration) float64 // clusters copied after so long
		lasts   time.Duration
		want    []string // the last lines
	}{
		{"fast", mi, 100_000, func(d time.Duration) float64 { return 1000 * d.Seconds() }, 20 * time.Second,
			[]string{"9.8Gi of 97.7Gi, 1000Mi/s, 1m30s left", "19.5Gi of 97.7Gi, 1000Mi/s, 1m20s left"}},
		{"less than 1Mi/s", mi, 100, func(d time.Duration) float64 { return d.Seconds() / 4 }, 40 * time.Second,
			[]string{"10Mi of 100Mi, 256Ki/s, 6m0s left"}},
		{"a cluster in 40 s", 4 * mi, 100, func(d time.Duration) float64 { return d.Seconds() / 40 }, 5*time.Minute + 20*time.Second,
			[]string{"28Mi of 400Mi, 102.4Ki/s, 1h2m0s left", "32Mi of 400Mi, 102.4Ki/s, 1h1m20s left"}},
		{"some bytes a second", 4096, 100, func(d time.Duration) float64 { return d.Seconds() / 10 }, 40 * time.Second,
			[]string{"16Ki of 400Ki, 409 B/s, 16m0s left"}},
		{"nearly none", 4096, ti / 4096, func(d time.Duration) float64 { return d.Seconds() / 10 }, 40 * time.Second,
			[]string{"16Ki of 1Ti, 409 B/s, more than 100 days left"}},
		{"begins", mi, 100, func(time.Duration) float64 { return 0 }, 10 * time.Second,
			[]string{"0 B of 100Mi, has not moved for 10s"}},
		{"never begins", mi, 100, func(time.Duration) float64 { return 0 }, time.Minute,
			[]string{"0 B of 100Mi, has not moved for 50s", "0 B of 100Mi, has not moved for 1m0s"}},
		{"stops", mi, 100, func(d time.Duration) float64 { return min(d.Seconds(), 20) }, 40 * time.Second,
			[]string{"20Mi of 100Mi, 1Mi/s, 1m20s left", "20Mi of 100Mi, has not moved for 10s", "20Mi of 100Mi, has not moved for 20s"}},
		{"slows down", mi, 10_000, func(d time.Duration) float64 { return 100*min(d.Seconds(), 10) + max(0, d.Seconds()-10) }, 50 * time.Second,
			[]string{"1040Mi of 9.8Gi, 1Mi/s, 2h29m20s left"}},
		{"taken up", mi, 1000, func(d time.Duration) float64 { return 900 + d.Seconds() }, 10 * time.Second,
			[]string{"910Mi of 1000Mi, 1Mi/s, 1m30s left"}},
		{"begun again", mi, 100, func(d time.Duration) float64 {
			if d < 10*time.Second {
				return 9 * d.Seconds()
			}
			return d.Seconds() - 10
		}, 20 * time.Second,
			[]string{"10Mi of 100Mi, 1Mi/s, 1m30s left"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				c := newCopies(&out)
				is, _ := apply.CopyOf(plan.ShallowCopy{Label: "db", To: "u", Bytes: test.cluster * test.total})
				for start := time.Now(); time.Since(start) <= test.lasts; time.Sleep(50 * time.Millisecond) {
					is.Copied, is.Total = int64(test.at(time.Since(start))), test.total
					c.update(is)
				}
				var lines []string
				for line := range strings.Lines(out.String()) {
					lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, "  db: "), "\n"))
				}
				if n := int(test.lasts / lineEvery); len(lines) != n {
					t.Fatalf("%d lines, not %d:\n%s", len(lines), n, out.String())
				}
				for i, want := range test.want {
					if got := lines[len(lines)-len(test.want)+i]; got != want {
						t.Errorf("%q, not %q; all there are:\n%s", got, want, out.String())
					}
				}
			})
		})
	}
}

// TestCopyBar: what a bar says is of the moment it is drawn in, also when
// nothing was heard of the copy since.
func TestCopyBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		draw := make(chan any)
		c := newCopies(io.Discard)
		c.on = &canvas{out: &out, size: func() (int, int) { return 80, 24 }}
		c.bars = onCanvas(c.on, mpb.WithManualRefresh(draw))
		is, _ := apply.CopyOf(plan.ShallowCopy{Label: "db", To: "u", Bytes: 100 << 20})
		for i := range int64(11) {
			is.Copied, is.Total = i, 100
			c.update(is)
			time.Sleep(4 * time.Second)
		}
		for _, want := range []string{"db ", " 10Mi of 100Mi, ", "256Ki/s, 6m0s left"} {
			draw <- time.Now()
			synctest.Wait()
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in %q", want, out.String())
			}
		}
		out.Reset()
		time.Sleep(time.Minute)
		draw <- time.Now()
		synctest.Wait()
		if want := "has not moved for 1m4s"; !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %q", want, out.String())
		}
		c.close()
	})
}
