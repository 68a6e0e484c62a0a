package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRebuild gives a volume with snapshots a second and a third replica, and
// brings one back that was away, while a host writes without end and verifies.
// No more is copied than has to be, and at the end all replicas and all layers
// are equal, byte by byte.
func TestRebuild(t *testing.T) {
	const offset, area = 100, 16 // MiB that the host writes
	l := NewLab(t, gib)
	configure := func(replicas int, snapshots string) {
		l.Configure(fmt.Sprintf(`db: {size: 192Mi, replicas: on: ["%s"], engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`,
			strings.Join(l.names[:replicas], `", "`), snapshots))
	}
	configure(1, ``)
	l.Apply(0)
	l.Write("db", 0, Pattern(1, 48*mib))
	configure(1, `"a"`)
	l.Apply(0)
	l.Write("db", 24, Pattern(2, 32*mib))
	configure(1, `"a", "b"`)
	l.Apply(0)
	w := l.StartWriter("db", offset, area, 16)
	var held []Pause
	for replicas := 2; replicas <= 3; replicas++ {
		w.Going(area*mib/block, time.Minute) // every block is of the joint layer
		configure(replicas, `"a", "b"`)
		to := l.names[replicas-1]
		s := l.Sample("db")
		events := l.StartApply().Expect(0)
		s.End()
		held = append(held, Pauses(events)...)
		c := s.copies(t, events, "n1", to)
		t.Logf("replica %d: %v", replicas, c)
		if want := int64(48+32+area) * mib; c.needed != want {
			t.Errorf("%d MiB are in the layers that were copied, and %d MiB were written", c.needed/mib, want/mib)
		}
	}

	l.Kill("n3")
	Eventually(t, time.Minute, "n1 lets the leg on n3 go", func() error { return l.lost("n1", 1) })
	configure(3, `"a", "b", "c"`)
	l.Apply(3)
	w.Going(area*mib/block, time.Minute)
	l.Start("n3")
	s := l.Sample("db")
	events := l.StartApply().Expect(0)
	s.End()
	held = append(held, Pauses(events)...)
	c := s.copies(t, events, "n1", "n3")
	t.Logf("back after an outage: %v", c)
	// Layers a and b are there still; c and the joint layer have what the host wrote.
	if most := int64(2*area) * mib; c.needed > most || c.copied > most {
		t.Errorf("%d MiB were copied after an outage in which %d MiB changed", c.copied/mib, most/mib)
	}

	w.Going(100, time.Minute)
	load := w.Stop()
	t.Logf("the host: %v", load)
	longest := map[bool]time.Duration{}
	for _, p := range held {
		longest[p.Swap] = max(longest[p.Swap], load.Stall(p))
		t.Logf("stalled for %v, held for %v", load.Stall(p).Round(time.Millisecond), p)
	}
	t.Logf("longest stall of the host for a join %v, for a re-parenting %v", longest[true].Round(time.Millisecond), longest[false].Round(time.Millisecond))
	if longest[true] > 15*time.Second || longest[false] > 5*time.Second {
		t.Error("the host stalled for too long")
	}
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	n := l.SameStacks(stacks, func(what string, image []byte) error {
		_, err := w.Check(image, what != "head")
		return err
	})
	if n != 3*4 {
		t.Errorf("%d lvols were compared: %v", n, stacks)
	}
}

// copying is what a rebuild has copied.
type copying struct {
	needed int64 // bytes: clusters of the layers that the destination lacked
	copied int64 // bytes that reached the destination's staging
	took   time.Duration
	layers []Copied
}

func (c copying) String() string {
	return fmt.Sprintf("%d MiB had to be copied and %d MiB were: %.2f, in %v: %v", c.needed/mib, c.copied/mib,
		float64(c.copied)/float64(c.needed), c.took.Round(time.Millisecond), c.layers)
}

// copies sums up a rebuild: what it said it copied, what the destination says
// was written to its staging, and what the source has in these layers.
func (s *Sampler) copies(t testing.TB, events []Event, from, to string) copying {
	t.Helper()
	c := copying{layers: Copies(events)}
	said := int64(0)
	for _, layer := range c.layers {
		c.took += layer.Took
		said += layer.Bytes
		c.needed += s.Layers[from][layer.Layer] * mib
	}
	for _, written := range s.Staged[to] {
		c.copied += written
	}
	if said != c.copied {
		t.Errorf("apply says that %d bytes were copied; %d were written to staging on %s", said, c.copied, to)
	}
	if c.needed == 0 || c.copied != c.needed {
		t.Errorf("%d bytes had to be copied, and %d were", c.needed, c.copied)
	}
	return c
}
