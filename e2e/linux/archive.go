package linux

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"path"
)

// archive writes a cpio archive, of the kind "newc" that the kernel unpacks, and
// faster in an emulation when it is not compressed. Directories are written
// before what is in them.
type archive struct {
	out   *bufio.Writer
	inode int
	dirs  map[string]bool
	err   error
}

const (
	isDir  = 0o040000
	isFile = 0o100000
	isLink = 0o120000
)

func newArchive(w io.Writer) *archive {
	return &archive{out: bufio.NewWriter(w), dirs: map[string]bool{".": true}}
}

func (a *archive) dir(name string) {
	if !a.dirs[name] {
		a.dirs[name] = true
		a.entry(name, isDir|0o755, nil)
	}
}

func (a *archive) file(name string, mode int, data []byte) { a.entry(name, isFile|mode, data) }

func (a *archive) link(name, to string) { a.entry(name, isLink|0o777, []byte(to)) }

func (a *archive) entry(name string, mode int, data []byte) {
	a.dir(path.Dir(name))
	a.inode++
	a.write(name, mode, data)
}

func (a *archive) write(name string, mode int, data []byte) {
	// inode, mode, user, group, links, time, size, devices, length of the name, checksum
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	a.padded([]byte(head + name + "\x00"))
	a.padded(data)
}

// padded writes to the next multiple of four bytes.
func (a *archive) padded(data []byte) {
	for _, part := range [][]byte{data, make([]byte, -len(data)&3)} {
		if a.err == nil {
			_, a.err = a.out.Write(part)
		}
	}
}

func (a *archive) close() error {
	a.write("TRAILER!!!", 0, nil)
	return cmp.Or(a.err, a.out.Flush())
}
