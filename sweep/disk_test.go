package sweep

import (
	"fmt"
	"time"

	"strata/spdk/sim"
)

// disk is a volume by all of its paths at once, as a kernel with native multipath has
// it. What one path has lost it goes on with by another; a disk that no path has is gone
// for good, and its host sees that.
type disk struct {
	w    *world
	nqn  string
	conn *sim.Conn
	// keepAlive is after how long it gives up a path whose target gives no sign of life; 0 for
	// never.
	keepAlive time.Duration
	ns        *sim.Namespace
	has       map[int]bool // the nodes that there is a path to, working or not
}

// kato is the keep-alive timeout of a Linux host.
const kato = 5 * time.Second

// newMultipath lets a host begin to use a volume by all of its paths.
func (w *world) newMultipath(volume string, keepAlive time.Duration) (*host, error) {
	h, err := w.idle(volume, false)
	if err != nil {
		return nil, err
	}
	h.disk = &disk{w: w, nqn: h.nqn, keepAlive: keepAlive, has: map[int]bool{}}
	if h.disk.namespace() == nil {
		return nil, fmt.Errorf("%s is exported nowhere", volume)
	}
	h.begin()
	return h, nil
}

// namespace is the disk; nil as long as it was not found anywhere. Paths that there are
// only now are taken as well.
func (d *disk) namespace() *sim.Namespace {
	for i := range nodes {
		address := fmt.Sprintf("10.0.0.%d", i+1)
		switch {
		case d.has[i]:
		case d.ns != nil:
			d.has[i] = d.conn.Also(address, "4420") == nil
		default:
			conn, err := d.w.login(address, d.nqn)
			if err != nil {
				continue
			}
			ns, err := conn.Namespace(1)
			if err != nil {
				conn.Close()
				continue
			}
			conn.KeepAlive = d.keepAlive
			d.conn, d.ns, d.has[i] = conn, ns, true
			return d.namespace()
		}
	}
	return d.ns
}

func (d *disk) close() {
	if d.conn != nil {
		d.conn.Close()
	}
}
