package sim

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// disk is a device of a node. It outlives the process that uses it, and with
// Options.Dir the cluster, too.
type disk struct {
	size    int64
	data    medium
	store   *blobstore // nil if there is no lvstore on it
	logPath string     // where the lvstore's metadata is kept; empty in memory
	trims   bool       // discards what is freed
	punches bool       // so does it, for AIO makes holes in it
	whole   bool       // no holes can be made in it
	full    bool       // has no free cluster to give, see Target.Fill
}

// cannot reports whether the disk fails to discard what it is told to.
func (d *disk) cannot() bool { return d.punches && d.whole }

// blank discards all that is on the disk, if it can.
func (d *disk) blank() {
	if !d.cannot() {
		d.data.written(func(off, n int64) error { return d.data.discard(off, n) })
	}
}

// disk opens the disk that a path (or PCI address) names, nil if there is none.
func (t *Target) disk(path string) (*disk, error) {
	if d := t.disks[path]; d != nil {
		return d, nil
	}
	size, ok := t.c.opts.Disks[path]
	if !ok {
		if t.c.opts.Disks != nil {
			return nil, nil
		}
		size = t.c.opts.DiskSize
	}
	d := &disk{size: size, whole: slices.Contains(t.c.opts.NoHoles, path)}
	if t.c.opts.Dir == "" {
		d.data = newSparse()
		t.disks[path] = d
		return d, nil
	}
	base := filepath.Join(t.c.opts.Dir, url.PathEscape(t.name))
	if err := os.MkdirAll(base, 0o777); err != nil {
		return nil, err
	}
	base = filepath.Join(base, url.PathEscape(path))
	f, err := os.OpenFile(base+".data", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err == nil && fi.Size() > 0 && t.c.opts.Disks == nil {
		d.size = fi.Size()
	}
	if err := f.Truncate(d.size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	d.data, d.logPath = fileMedium{f}, base+".lvs"
	if d.store, err = openStore(d); err != nil {
		return nil, errors.Join(fmt.Errorf("disk %s of %s: %w", path, t.name, err), f.Close())
	}
	t.disks[path] = d
	return d, nil
}

func (d *disk) close() error {
	var err error
	if d.store != nil && d.store.log != nil {
		err = d.store.log.close()
	}
	return errors.Join(err, d.data.close())
}

// become makes d what o is.
func (d *disk) become(o *disk) error {
	if d.size < o.size {
		return fmt.Errorf("it has %d bytes, and what it is to hold %d", d.size, o.size)
	}
	err := o.data.written(func(off, n int64) error {
		for p := make([]byte, min(n, 1<<20)); n > 0; {
			p = p[:min(n, int64(len(p)))]
			if err := errors.Join(o.data.readAt(p, off), d.data.writeAt(p, off)); err != nil {
				return err
			}
			off, n = off+int64(len(p)), n-int64(len(p))
		}
		return nil
	})
	if err != nil || o.store == nil {
		return err
	}
	d.store, err = o.store.copy(d)
	return err
}

// read and write are bounded by the disk's size.
func (d *disk) read(p []byte, off int64) error {
	if off < 0 || off+int64(len(p)) > d.size {
		return eio
	}
	return d.data.readAt(p, off)
}

func (d *disk) write(p []byte, off int64) error {
	if off < 0 || off+int64(len(p)) > d.size {
		return eio
	}
	return d.data.writeAt(p, off)
}

// discard makes holes, where the disk has a discard; else it is no matter.
func (d *disk) discard(off, n int64) error {
	switch {
	case d.cannot():
		return eio
	case !d.trims && !d.punches:
		return nil
	case off < 0 || off+n > d.size:
		return eio
	}
	return d.data.discard(off, n)
}

// fileMedium is a sparse file.
type fileMedium struct{ f *os.File }

func (m fileMedium) readAt(p []byte, off int64) error {
	n, err := m.f.ReadAt(p, off)
	if errors.Is(err, io.EOF) {
		clear(p[n:])
		err = nil
	}
	return err
}

// writeAt leaves holes where zeroes would fall into a hole: a copied cluster
// that was never written stays free in the file.
func (m fileMedium) writeAt(p []byte, off int64) error {
	if zero(p) && m.hole(off, int64(len(p))) {
		return nil
	}
	_, err := m.f.WriteAt(p, off)
	return err
}

const (
	seekData      = 3
	seekHole      = 4
	punchHole     = 0x2
	punchKeepSize = 0x1
)

func (m fileMedium) hole(off, n int64) bool {
	at, err := m.f.Seek(off, seekData)
	if errors.Is(err, syscall.ENXIO) {
		return true
	}
	return err == nil && at >= off+n
}

func (m fileMedium) discard(off, n int64) error {
	return syscall.Fallocate(int(m.f.Fd()), punchHole|punchKeepSize, off, n)
}

func (m fileMedium) written(f func(off, n int64) error) error {
	for off := int64(0); ; {
		from, err := m.f.Seek(off, seekData)
		if errors.Is(err, syscall.ENXIO) {
			return nil
		} else if err != nil {
			return err
		}
		if off, err = m.f.Seek(from, seekHole); err != nil {
			return err
		}
		if err := f(from, off-from); err != nil {
			return err
		}
	}
}

func (m fileMedium) close() error { return m.f.Close() }
