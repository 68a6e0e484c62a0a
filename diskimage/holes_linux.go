package diskimage

import (
	"errors"

	"golang.org/x/sys/unix"
)

// extent is the first stretch of data at or behind an offset; where there is none it is
// empty, at the end. A file system that knows of no holes has none.
//
//nolint:nilerr // so it is one stretch then
func (i *File) extent(at int64) (from, to int64, err error) {
	from, err = unix.Seek(int(i.f.Fd()), at, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return i.size, i.size, nil
	case err != nil:
		return at, i.size, nil
	}
	to, err = unix.Seek(int(i.f.Fd()), from, unix.SEEK_HOLE)
	return from, min(to, i.size), err
}
