package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
)

// TestOverall has four layers copied one after the other, 64 MiB at 4 MiB a second each. Where
// there is no terminal a line says every 10 s how far all of that is.
func TestOverall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out)
		p.foreseen(256 << 20)
		for _, to := range []lineage.UUID{"a", "b", "c", "d"} {
			op := plan.ShallowCopy{To: to, Label: plan.Label("n2/lab.fast/" + to), Bytes: 64 << 20}
			is, _ := apply.CopyOf(op)
			for is.Total = 64; is.Copied <= is.Total; is.Copied += 4 {
				p.copying(is)
				time.Sleep(time.Second)
			}
			p.event(apply.Event{Step: plan.Step{Op: op}})
			p.foreseen(1 << 20) // what later plans have left to copy is not all
		}
		p.close()
		var all []string
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "in all") {
				all = append(all, strings.TrimSpace(line))
			}
		}
		if len(all) != 6 || all[0] != "in all 40Mi of 256Mi copied (15%), 4Mi/s, 54s left" || !strings.HasPrefix(all[5], "in all 228Mi of 256Mi copied (89%), 3.") {
			t.Errorf("%d lines\n%s", len(all), strings.Join(all, "\n"))
		}
	})
}

// TestOverallOfOne: of one copy alone nothing is said beside what is said of it.
func TestOverallOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out)
		p.foreseen(64 << 20)
		is, _ := apply.CopyOf(plan.ShallowCopy{To: "a", Bytes: 64 << 20})
		for is.Total = 64; is.Copied < is.Total; is.Copied++ {
			p.copying(is)
			time.Sleep(time.Second)
		}
		if strings.Contains(out.String(), "in all") {
			t.Error(out.String())
		}
	})
}
