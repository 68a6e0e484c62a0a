package view

import (
	"context"
	"maps"
	"time"

	"strata/lineage"
	"strata/plan/retention"
	"strata/report"
	"strata/spdk"
	"strata/state"
)

const (
	// readEvery is how often nodes are asked for hosts and their I/O.
	readEvery = 5 * time.Second
	// readTimeout is for how long one of them may keep that of the others.
	readTimeout = 2 * time.Second
)

// Run puts looks into words, and asks nodes who is connected and what hosts read and
// write, until ctx ends.
func (b *Board) Run(ctx context.Context) {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.looks:
			b.word()
		case <-tick.C:
			b.read(ctx)
			continue
		}
		b.read(ctx)
	}
}

// word puts the last look into words.
func (b *Board) word() {
	b.mu.Lock()
	l := b.looked
	b.mu.Unlock()
	r := report.Build(l.cfg, l.snap)
	r.Recorded(l.cfg, l.snap, l.catalog)
	snapshots := newest(l.snap)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.history.Note(r, l.at)
	b.is.Report, b.is.Looked, b.is.Snapshots = r, l.at, snapshots
	for _, n := range r.Nodes {
		if is, known := b.is.Nodes[n.Name]; known && n.Unknown == "" && !is.Heard {
			is.Heard = true // the first pulse of who answers is told to nobody
			b.is.Nodes[n.Name] = is
		}
	}
	going := map[string]bool{}
	for _, c := range r.Copies {
		going[c.Key()] = true
		if k := b.copies[c.Key()]; k == nil || c.Copied > k.Copied { // who makes it may know more by now
			b.tell(c, l.at)
		}
	}
	maps.DeleteFunc(b.copies, func(key string, c *copying) bool { return !going[key] && c.told.Before(l.began) })
	b.touch()
}

// newest are the times of the newest snapshots on schedule, by volume.
func newest(s *state.Snapshot) map[string]time.Time {
	all := map[string]time.Time{}
	for _, n := range s.Nodes {
		for _, l := range n.Lvols {
			layer, is := l.Parsed.(lineage.Layer)
			if !is {
				continue
			}
			if at, ok := retention.Time(layer.Snapshot); ok {
				key := layer.Volume.String()
				if t := time.Unix(at, 0); t.After(all[key]) {
					all[key] = t
				}
			}
		}
	}
	return all
}

// read asks nodes that answer who is connected, and what hosts read and write.
func (b *Board) read(ctx context.Context) {
	b.mu.Lock()
	l, targets := b.looked, map[lineage.Node]*spdk.Client{}
	for name, t := range b.targets {
		if n := b.is.Nodes[name]; n.Silent == "" && n.Heard {
			targets[name] = t
		}
	}
	var served []state.Served
	keys := map[state.Served]string{}
	for i, v := range b.is.volumes() {
		if v.Engine != "" && v.Device != "" {
			s := state.Served{Node: v.Engine, Device: v.Device}
			served = append(served, s)
			keys[s] = b.is.Report.Volumes[i].Key()
		}
	}
	b.mu.Unlock()
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	traffic := state.ReadTraffic(ctx, served, targets)
	hosts := state.ReadConnected(ctx, l.snap, l.cfg.Cluster, targets)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = hosts
	known := map[string]bool{}
	for i := range b.is.volumes() {
		known[b.is.Report.Volumes[i].Key()] = true
	}
	maps.DeleteFunc(b.traffic, func(key string, _ *counted) bool { return !known[key] })
	for s, t := range traffic {
		key := keys[s]
		if b.traffic[key] == nil {
			b.traffic[key] = &counted{}
		}
		b.traffic[key].add(s, t)
	}
	b.touch()
}
