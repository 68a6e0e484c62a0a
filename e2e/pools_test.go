package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestPoolReplaced replaces a pool by another of its node, that of the engine and that of a
// peer, while a host writes without end and verifies, and so moves a volume of one replica.
// No more is copied than has to be, nobody sees an error, engines stay, and at the end the
// replicas are equal, byte by byte.
func TestPoolReplaced(t *testing.T) {
	const offset, area = 100, 16 // MiB that the host writes
	l := NewLabOf(t, gib, "n1", "n2")
	disks := map[string]string{}
	for _, n := range l.names {
		disks[n] = l.Targets[n].Disk + "2"
		if err := os.WriteFile(disks[n], nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(disks[n], gib); err != nil {
			t.Fatal(err)
		}
	}
	configure := func(replaces string) {
		l.Node = fmt.Sprintf("pools: new: {aio: \"%s/NODE.disk2\", format: true%s}", l.Dir, replaces)
		l.Configure(`{
	db: {size: 192Mi, replicas: {on: ["n1", "n2"], pool: "fast"}, engine: "n1", snapshots: ["a"], export: nvmf: hosts: "any"}
	one: {size: 64Mi, replicas: {on: ["n1"], pool: "fast"}, engine: "n1", export: nvmf: hosts: "any"}
}`)
	}
	configure("")
	l.Apply(0)
	l.Write("db", 0, Pattern(1, 48*mib))
	w, one := l.StartWriter("db", offset, area, 16), l.StartWriter("one", 8, 4, 8)
	w.Going(area*mib/block, time.Minute) // every block is there
	one.Going(4*mib/block, time.Minute)

	configure(`, replaces: "fast"`)
	s, alone := l.Sample("db"), l.Sample("one")
	events := l.StartApply().Expect(0)
	s.End()
	alone.End()
	said, needed, staged := int64(0), int64(0), int64(0)
	for _, c := range Copies(events) {
		said += c.Bytes
		needed += max(s.Layers["n1"][c.Layer], s.Layers["n2"][c.Layer], alone.Layers["n1"][c.Layer]) * mib
	}
	for _, by := range []*Sampler{s, alone} {
		for _, lvols := range by.Staged {
			for _, written := range lvols {
				staged += written
			}
		}
	}
	t.Logf("%d MiB had to be copied and %d MiB were: %.2f", needed/mib, staged/mib, float64(staged)/float64(needed))
	if want := int64(2*(48+area)+4) * mib; staged != needed || said != needed || needed != want {
		t.Errorf("%d MiB were written, %d are in the layers, apply says that %d were copied, and %d arrived", want/mib, needed/mib, said/mib, staged/mib)
	}
	w.Going(100, time.Minute)
	one.Going(100, time.Minute)
	load := w.Stop()
	t.Logf("the host of two replicas: %v; that of one: %v", load, one.Stop())
	for _, p := range Pauses(events) {
		t.Logf("stalled for %v, held for %v", load.Stall(p).Round(time.Millisecond), p)
	}
	if load.Longest > 15*time.Second {
		t.Errorf("the host stalled for %v", load.Longest)
	}
	l.Settled()
	stacks := l.Stacks("db")
	for n, stack := range stacks {
		for what, alias := range stack {
			if want := "e2e.new."; len(alias) < len(want) || alias[:len(want)] != want {
				t.Errorf("%s of %s is still %s", what, n, alias)
			}
		}
	}
	l.Kill()
	for n, x := range l.Targets {
		x.Disk = disks[n]
	}
	n := l.SameStacks(stacks, func(what string, image []byte) error {
		_, err := w.Check(image, what != "head")
		return err
	})
	if n != 2*2 {
		t.Errorf("%d lvols were compared: %v", n, stacks)
	}
}
