package state

import (
	"context"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// Traffic counts the I/O of a bdev since it was made (bdev_get_iostat).
type Traffic struct {
	Reads, Writes           uint64
	BytesRead, BytesWritten uint64
	ReadTime, WriteTime     time.Duration // of all of them together
}

// Served is a bdev that hosts are shown, on the node that has it.
type Served struct {
	Node   lineage.Node
	Device string
}

// ReadTraffic asks all nodes at once, in one round each, for the I/O of bdevs. What is
// not answered is not in what it returns.
func ReadTraffic(ctx context.Context, of []Served, targets map[lineage.Node]*spdk.Client) map[Served]Traffic {
	devices := map[lineage.Node][]string{}
	for _, s := range of {
		if targets[s.Node] != nil {
			devices[s.Node] = append(devices[s.Node], s.Device)
		}
	}
	asks := map[lineage.Node]func() []*Traffic{}
	for name := range devices {
		asks[name] = func() []*Traffic { return traffic(ctx, targets[name], devices[name]) }
	}
	all := map[Served]Traffic{}
	for name, answers := range atOnce(asks) {
		for i, t := range answers {
			if t != nil {
				all[Served{name, devices[name][i]}] = *t
			}
		}
	}
	return all
}

// traffic asks one target for the I/O of some bdevs; nil for those that it does not tell of.
func traffic(ctx context.Context, t *spdk.Client, devices []string) []*Traffic {
	stats := make([]spdk.Iostat, len(devices))
	var reqs []*spdk.Req
	for i, name := range devices {
		reqs = append(reqs, spdk.NewReq(spdk.IostatGet{Names: []string{name}}, &stats[i]))
	}
	t.Round(ctx, reqs...)
	all := make([]*Traffic, len(devices))
	for i, s := range stats {
		if reqs[i].Err != nil || len(s.Bdevs) != 1 || s.TickRate == 0 {
			continue
		}
		took := func(ticks uint64) time.Duration {
			return time.Duration(float64(ticks) / float64(s.TickRate) * float64(time.Second))
		}
		b := s.Bdevs[0]
		all[i] = &Traffic{b.ReadOps, b.WriteOps, b.BytesRead, b.BytesWritten, took(b.ReadTicks), took(b.WriteTicks)}
	}
	return all
}
