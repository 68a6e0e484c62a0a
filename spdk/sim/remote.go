package sim

import (
	"slices"

	"strata/nvmetcp"
)

// remote is a namespace of a controller as a device. SPDK remembers it by
// number only, and looks for namespaces when it first connects and when an
// event names one, not when it reconnects: what the peer offers under the same
// number by then is taken for the same, what is new is not seen, and I/O to what
// is missing waits until it is shown again or the peer is let go of.
type remote struct {
	ct     *controller
	nsid   uint32
	bdev   *bdev
	disk   *nvmetcp.Device // of one that is not simulated; nil for others
	absent bool            // it was not there at the last reconnect, nor was it shown since
}

// part is what an op does by way of a remote.
type part struct {
	r    *remote
	off  int64
	size int64
	does verb
}

// verb is what an I/O does.
type verb int

const (
	toRead verb = iota
	toWrite
	toDiscard
)

// sent is a part that a peer has taken in, by the connection of that epoch.
type sent struct {
	x     *taken
	buf   []byte
	epoch int
	lost  bool // with its connection, abroad: nobody has answered it
}

// reach finds the namespace for an I/O, or why there is none.
func (r *remote) reach() (*namespace, error) {
	ct := r.ct
	switch {
	case ct.state == ctrlDelayed, ct.state == ctrlResetting:
		if ct.failIO || ct.p.nvmeOpts.Retries == 0 {
			return nil, eio
		}
		return nil, errStalled
	case ct.sub == nil:
		return nil, eio
	case ct.silent():
		ct.p.watch(ct)
		return nil, errStalled
	}
	if r.absent {
		return nil, errStalled
	}
	n := ct.sub.spaces[r.nsid]
	if n == nil {
		return nil, eio
	}
	return n, nil
}

func (r *remote) read(o *op, p []byte, off int64) error {
	return r.do(o, part{r, off, int64(len(p)), toRead}, p)
}

func (r *remote) write(o *op, p []byte, off int64) error {
	return r.do(o, part{r, off, int64(len(p)), toWrite}, p)
}

func (r *remote) discard(o *op, off, n int64) error {
	return r.do(o, part{r, off, n, toDiscard}, nil)
}

// do sends a part of an op to the peer, or looks what has come of it. When the
// connection is lost it is sent again: what the peer has taken in goes on there.
func (r *remote) do(o *op, w part, p []byte) error {
	if r.disk != nil {
		return r.doAbroad(o, w, p)
	}
	s := o.sent[w]
	if s != nil && (r.ct.sub == nil || r.ct.epoch != s.epoch) {
		delete(o.sent, w)
		s = nil
	}
	ns, err := r.reach()
	switch {
	case err != nil && (s == nil || err == errStalled):
		return err
	case s != nil:
	case w.off+w.size > ns.bdev.bytes():
		return eio
	case r.ct.sub.ana && r.ct.at.state(ns.group) == "inaccessible": // it waits here
		return errStalled
	default:
		s = &sent{buf: slices.Clone(p), epoch: r.ct.epoch}
		s.x = ns.take(func(b *bdev, o *op) error {
			switch w.does {
			case toWrite:
				return b.write(o, s.buf, w.off)
			case toDiscard:
				return b.discard(o, w.off, w.size)
			}
			return b.read(o, s.buf, w.off)
		})
		if o.sent == nil {
			o.sent = map[part]*sent{}
		}
		o.sent[w] = s
	}
	if !s.x.ended {
		return errStalled
	}
	delete(o.sent, w)
	if s.x.err == nil && w.does == toRead {
		copy(p, s.buf)
	}
	return s.x.err
}

func (r *remote) prefers() preference     { return preference{1, 1, 32, 1, 1} }
func (r *remote) numaID() (int, bool)     { return -1, true }
func (r *remote) memoryDomains() []string { return systemDomain }

var systemDomain = []string{"DMA"}

func (r *remote) ioTypes() ioType {
	if !r.ct.trim {
		return nvmeTypes &^ ioUnmap
	}
	return nvmeTypes
}

// setAbsent says whether the peer shows it. Older builds find out what it can do
// whenever they are asked.
func (r *remote) setAbsent(absent bool) {
	r.absent = absent
	if r.ct.p.build().recent {
		return
	}
	if r.bdev.types = r.ioTypes(); absent {
		r.bdev.types = 0
	}
}

const nvmeTypes = ioRead | ioWrite | ioUnmap | ioFlush | ioReset | ioNVMeAdmin | ioNVMe | ioWriteZeroes |
	ioCompare | ioCompareAndWrite | ioAbort | ioCopy

func (r *remote) describe(b []byte) []byte {
	if r.absent {
		return append(b, `"nvme":[],"mp_policy":"active_passive"`...)
	}
	return r.ct.describe(b, r.nsid)
}
