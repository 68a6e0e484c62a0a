package sim

import (
	"encoding/json"
	"math"
	"time"
)

func init() {
	register(
		reads("bdev_get_bdevs", (*process).getBdevs),
		reads("bdev_wait_for_examine", (*process).waitForExamine).
			refusing(&Error{codeInvalidParams, "bdev_wait_for_examine requires no parameters"}),
		writes("bdev_examine", (*process).examineBdev).
			refusing(&Error{codeInvalidParams, "spdk_json_decode_object failed"}),
		reads("bdev_get_iostat", (*process).getIostat),
		writes("bdev_set_qd_sampling_period", (*process).setQDSampling),
		writes("bdev_set_qos_limit", (*process).setLimit),
	)
}

type named struct {
	Name string `json:"name"`
}

func (p *process) getBdevs(q *struct {
	Name    *string `json:"name"`
	Timeout uint64  `json:"timeout"`
}) (any, error) {
	if q.Name == nil {
		out := make([]byte, 1, 1<<12+1600*len(p.bdevs.order))
		out[0] = '['
		for _, b := range p.bdevs.order {
			if !b.removing {
				out = b.dump(out)
			}
		}
		return json.RawMessage(append(out, ']')), nil
	}
	one := func() (any, error) {
		if b := p.bdevs.find(*q.Name); b != nil {
			return json.RawMessage(append(b.dump([]byte{'['}), ']')), nil
		}
		return nil, errno(enodev)
	}
	if p.bdevs.find(*q.Name) == nil && q.Timeout > 0 {
		return nil, &later{
			ready: func() bool { return p.bdevs.find(*q.Name) != nil },
			limit: time.Duration(min(q.Timeout, math.MaxInt32)) * time.Millisecond,
			done: func(expired bool) (any, error) {
				if expired {
					return nil, errno(etimeout)
				}
				return one()
			},
		}
	}
	return one()
}

func (p *process) waitForExamine(*none) (any, error) {
	if p.examining == 0 {
		return true, nil
	}
	return nil, &later{ready: func() bool { return p.examining == 0 }, done: func(bool) (any, error) { return true, nil }}
}

func (p *process) examineBdev(*named) (any, error) {
	// Every bdev is examined when it comes, and then none may be asked for.
	return nil, errno(einval)
}

// ioStat counts what hosts and other bdevs did with a bdev.
type ioStat struct{ bytesRead, reads, bytesWritten, writes, readTicks, writeTicks, failed uint64 }

func (p *process) getIostat(q *struct {
	Names []string `json:"names"`
	Name  *string  `json:"name"` // in older builds
}) (any, error) {
	if q.Name != nil {
		q.Names = []string{*q.Name}
	}
	bs := p.bdevs.order
	if q.Names != nil {
		bs = nil
		for _, n := range q.Names {
			b := p.bdevs.find(n)
			if b == nil {
				return nil, errno(enodev)
			}
			bs = append(bs, b)
		}
	}
	out := []byte(`{"tick_rate":1000000000`)
	out = number(out, "ticks", uint64(time.Now().UnixNano()))
	out = append(key(out, "bdevs"), '[')
	for _, b := range bs {
		if b.removing {
			continue
		}
		out = append(item(out), '{')
		out = text(out, "name", b.name)
		s := b.stat
		for _, m := range []struct {
			name string
			v    uint64
		}{
			{"bytes_read", s.bytesRead}, {"num_read_ops", s.reads},
			{"bytes_written", s.bytesWritten}, {"num_write_ops", s.writes},
			{"bytes_unmapped", 0}, {"num_unmap_ops", 0}, {"bytes_copied", 0}, {"num_copy_ops", 0},
			{"read_latency_ticks", s.readTicks}, {"max_read_latency_ticks", 0}, {"min_read_latency_ticks", 0},
			{"write_latency_ticks", s.writeTicks}, {"max_write_latency_ticks", 0}, {"min_write_latency_ticks", 0},
			{"unmap_latency_ticks", 0}, {"max_unmap_latency_ticks", 0}, {"min_unmap_latency_ticks", 0},
			{"copy_latency_ticks", 0}, {"max_copy_latency_ticks", 0}, {"min_copy_latency_ticks", 0},
		} {
			out = number(out, m.name, m.v)
		}
		if b.qdPeriod > 0 {
			out = number(out, "queue_depth_polling_period", b.qdPeriod)
			out = number(out, "queue_depth", b.queued())
		}
		out = append(key(out, "io_error"), '{')
		if s.failed > 0 {
			out = number(out, "failed", s.failed)
		}
		out = append(out, '}', '}')
	}
	return json.RawMessage(append(out, ']', '}')), nil
}

// queued is the I/O that waits in a bdev. Only a RAID with a stalled leg keeps any.
func (b *bdev) queued() uint64 {
	if r, ok := b.dev.(*raid); ok {
		return uint64(r.outstanding)
	}
	return 0
}

func (p *process) setQDSampling(q *struct {
	Name   string `json:"name"`
	Period uint64 `json:"period"`
}) (any, error) {
	b := p.bdevs.find(q.Name)
	if b == nil {
		return nil, errno(enodev)
	}
	b.qdPeriod = q.Period
	return true, nil
}

func (p *process) setLimit(q *struct {
	Name  string  `json:"name"`
	IOPS  *uint64 `json:"rw_ios_per_sec"`
	MB    *uint64 `json:"rw_mbytes_per_sec"`
	Read  *uint64 `json:"r_mbytes_per_sec"`
	Write *uint64 `json:"w_mbytes_per_sec"`
}) (any, error) {
	b := p.bdevs.find(q.Name)
	if b == nil {
		return nil, errno(enodev)
	}
	none := true
	for i, v := range []*uint64{q.IOPS, q.MB, q.Read, q.Write} {
		if v == nil {
			continue
		}
		none = false
		if i == 0 { // SPDK rounds I/Os up to thousands
			*v = (*v + 999) / 1000 * 1000
		}
		b.limits[i] = *v
	}
	if none {
		return nil, &Error{-int(einval), "No rate limits specified"}
	}
	return true, nil
}
