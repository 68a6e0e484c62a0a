package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLimits gives three volumes a second replica on the same node at once. No
// more are copied at a time than may be, and together no faster.
func TestLimits(t *testing.T) {
	const size, parallel, bandwidth = 24, 2, 8 // MiB, copies, MiB a second
	l := NewLabOf(t, gib, "n1", "n2")
	volumes := func(replicas int) string {
		var all []string
		for i := range 3 {
			all = append(all, fmt.Sprintf(`v%d: {size: %dMi, replicas: on: ["%s"], engine: "n1", snapshots: ["a"], export: nvmf: hosts: "any"}`,
				i, size, strings.Join(l.names[:replicas], `", "`)))
		}
		return "{" + strings.Join(all, "\n") + "}"
	}
	l.Configure(strings.ReplaceAll(volumes(1), `snapshots: ["a"], `, ""))
	l.Apply(0)
	for i := range 3 {
		l.Write(fmt.Sprintf("v%d", i), 0, Pattern(uint64(i), size*mib))
	}
	l.Configure(volumes(1))
	l.Apply(0)

	l.Node = fmt.Sprintf("rebuild: {parallel: %d, bandwidth: %dMi}", parallel, bandwidth)
	l.Configure(volumes(2))
	events := l.StartApply().Expect(0)
	var copies []Event
	for _, e := range events {
		if e.Event == "step" && strings.HasPrefix(e.Text, "copy ") {
			copies = append(copies, e)
		}
	}
	if len(copies) != 3 {
		t.Fatalf("%d copies: %v", len(copies), copies)
	}
	first, last, most := copies[0].Time, copies[0].End(), 0
	for _, e := range copies {
		at := 0
		for _, o := range copies {
			if !o.Time.After(e.Time) && o.End().After(e.Time) {
				at++
			}
		}
		most = max(most, at)
		if e.Time.Before(first) {
			first = e.Time
		}
		if e.End().After(last) {
			last = e.End()
		}
	}
	took := last.Sub(first)
	rate := 3 * size / took.Seconds()
	slices.SortFunc(copies, func(a, b Event) int { return a.Time.Compare(b.Time) })
	for _, e := range copies {
		t.Logf("after %v for %v: %s", e.Time.Sub(first).Round(time.Millisecond), e.End().Sub(e.Time).Round(time.Millisecond), e.Text)
	}
	t.Logf("%d MiB were copied in %v, %.1f MiB/s of %d; at most %d copies at a time", 3*size, took.Round(time.Millisecond), rate, bandwidth, most)
	if most != parallel {
		t.Errorf("%d copies at a time; %d are allowed, and possible", most, parallel)
	}
	// A target lets the beginning through: what a fraction of a second is worth.
	if rate > bandwidth*1.05 {
		t.Errorf("copied at %.1f MiB/s; %d are allowed", rate, bandwidth)
	}
	l.Settled()
}
