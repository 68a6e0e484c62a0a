package sim

// remote is a namespace of a controller as a device. SPDK remembers it by
// number only, and looks for namespaces when it first connects and when an
// event names one, not when it reconnects: what the peer offers under the same
// number by then is taken for the same, what is new is not seen, and what is
// missing fails its I/O.
type remote struct {
	ct     *controller
	nsid   uint32
	bdev   *bdev
	absent bool // it was not there at the last reconnect
}

// reach finds the namespace for an I/O, or why there is none.
func (r *remote) reach(o *op) (*namespace, error) {
	ct := r.ct
	switch {
	case ct.state == ctrlDelayed:
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
	n := ct.sub.spaces[r.nsid]
	if n == nil || r.absent {
		return nil, eio
	}
	// What the target has taken in goes on; the rest waits here.
	if _, in := o.held[&n.outstanding]; !in && ct.sub.ana && ct.at.state(n.group) == "inaccessible" {
		return nil, errStalled
	}
	return n, nil
}

func (r *remote) read(o *op, p []byte, off int64) error {
	return r.do(o, off, len(p), func(d device) error { return d.read(o, p, off) })
}

func (r *remote) write(o *op, p []byte, off int64) error {
	return r.do(o, off, len(p), func(d device) error { return d.write(o, p, off) })
}

func (r *remote) do(o *op, off int64, n int, f func(device) error) error {
	ns, err := r.reach(o)
	if err != nil {
		return err
	}
	if off+int64(n) > ns.bdev.bytes() {
		return eio
	}
	if err = f(ns.bdev.dev); err == errStalled {
		o.hold(&ns.outstanding)
	}
	return err
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

const nvmeTypes = ioRead | ioWrite | ioUnmap | ioFlush | ioReset | ioNVMeAdmin | ioNVMe | ioWriteZeroes |
	ioCompare | ioCompareAndWrite | ioAbort | ioCopy

func (r *remote) describe(b []byte) []byte {
	if r.absent {
		return append(b, `"nvme":[],"mp_policy":"active_passive"`...)
	}
	return r.ct.describe(b, r.nsid)
}
