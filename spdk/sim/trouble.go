package sim

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Partition cuts the network between two nodes without a trace: nothing is
// reset, packets just vanish. RPC sockets are not concerned.
func (c *Cluster) Partition(a, b string) { c.locked(func() { c.setCut(a, b, true) }) }

// Heal undoes Partition.
func (c *Cluster) Heal(a, b string) { c.locked(func() { c.setCut(a, b, false) }) }

func (c *Cluster) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// Darken has packets between nodes vanish that go to an address of one, or come from it. Hosts are
// not concerned.
func (c *Cluster) Darken(address string) { c.locked(func() { c.setDark(address, true) }) }

// Lighten undoes Darken.
func (c *Cluster) Lighten(address string) { c.locked(func() { c.setDark(address, false) }) }

func (c *Cluster) setDark(address string, dark bool) {
	c.dark[address] = dark
	c.noticeSilence()
}

func (c *Cluster) setCut(a, b string, cut bool) {
	c.cut[[2]string{a, b}], c.cut[[2]string{b, a}] = cut, cut
	c.noticeSilence()
}

func (c *Cluster) noticeSilence() {
	for _, t := range c.targets {
		if t.p != nil {
			t.p.noticeSilence()
		}
	}
	c.notify()
}

// noSign is after how long a target ends the connections of a host that gives no sign of
// life: 10 s, and as long as it takes to look (11.8 s were measured).
const noSign = 12 * time.Second

// Freeze stops the target as SIGSTOP does: it answers nothing, its kernel
// goes on acknowledging. Who is attached to it does not notice; those that it is attached
// to end that after a while.
func (t *Target) Freeze() { t.c.locked(func() { t.freeze(true) }) }

// Thaw lets a frozen target go on; it takes up what has come in meanwhile.
func (t *Target) Thaw() { t.c.locked(func() { t.freeze(false) }) }

func (t *Target) freeze(on bool) {
	if t.p != nil && (on || t.p.frozen) {
		t.p.frozen = on
		t.p.freezes++
		t.p.signs(on)
	}
	for _, o := range t.c.targets {
		if o.p != nil && !on {
			o.p.noticeSilence()
		}
	}
	t.c.notify()
}

// signs has the peers of a process that gives no sign of life any more end its connections
// after a while, and it notices when it goes on.
func (p *process) signs(frozen bool) {
	if !frozen {
		for _, ct := range slices.Clone(p.nvme) {
			if ct.local == nil && ct.sub == nil && ct.state == ctrlEnabled {
				ct.lost()
			}
		}
		return
	}
	n := p.freezes
	p.after(noSign, func() {
		for _, ct := range p.nvme {
			if p.frozen && p.freezes == n && ct.local == nil && ct.sub != nil && ct.sub.p != p {
				ct.disconnect()
			}
		}
		p.t.c.notify()
	})
}

// CutRPC makes the target's RPC unreachable: connections break, and new ones
// do as soon as they are made. Peers and hosts reach it still.
func (t *Target) CutRPC() {
	t.connMu.Lock()
	t.away = true
	conns := t.leaveAll()
	if t.conns != nil {
		t.conns = map[*conn]struct{}{}
	}
	t.connMu.Unlock()
	for _, c := range conns {
		c.close()
	}
}

// RestoreRPC undoes CutRPC.
func (t *Target) RestoreRPC() {
	t.connMu.Lock()
	defer t.connMu.Unlock()
	t.away = false
}

// Fill leaves no cluster free in any lvstore the target has, as far as
// allocating goes; Drain gives them back.
func (t *Target) Fill() { t.c.locked(func() { t.fill(true) }) }

// Drain undoes Fill.
func (t *Target) Drain() { t.c.locked(func() { t.fill(false) }) }

func (t *Target) fill(full bool) {
	for _, d := range t.disks {
		d.full = full
	}
}

// ReplaceDisk puts an empty disk in the place of one, while the target is stopped.
func (t *Target) ReplaceDisk(path string) error {
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	if t.p != nil {
		return fmt.Errorf("target %s: it runs", t.name)
	}
	d := t.disks[path]
	if d == nil {
		return fmt.Errorf("target %s: it has used no disk %s", t.name, path)
	}
	delete(t.disks, path)
	err := d.close()
	if d.logPath != "" {
		base := strings.TrimSuffix(d.logPath, ".lvs")
		err = errors.Join(err, os.Remove(base+".data"), os.Remove(d.logPath))
	}
	return err
}

// CopyDisk makes a disk what another is, as a copy of every block does. The
// target of neither may run, unless the other's has no such disk yet, which is
// then made.
func (c *Cluster) CopyDisk(from, path, to, as string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var disks [2]*disk
	for i, at := range [][2]string{{from, path}, {to, as}} {
		t := c.targets[at[0]]
		if t == nil || t.p != nil && (i == 0 || t.disks[at[1]] != nil) {
			return fmt.Errorf("target %s: there is none, or it runs", at[0])
		}
		d, err := t.disk(at[1])
		if err == nil && d == nil {
			err = fmt.Errorf("target %s: it has no disk %s", at[0], at[1])
		}
		if err != nil {
			return err
		}
		disks[i] = d
	}
	if err := disks[1].become(disks[0]); err != nil {
		return fmt.Errorf("target %s: disk %s: %w", to, as, err)
	}
	return nil
}

// MoveDisk is CopyDisk, and the disk, which is kept in memory, is not there any
// more where it was.
func (c *Cluster) MoveDisk(from, path, to, as string) error {
	if err := c.CopyDisk(from, path, to, as); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.targets[from].disks, path)
	return nil
}
