package archive

import (
	"fmt"
	"io"
	"os"
)

// scratch is bytes that can be many: what is beyond limit is in a file that nobody
// else sees and that is gone with the process. What was never written reads as zero.
// Callers see to it that it is not written while it is read elsewhere.
type scratch struct {
	dir   string // "" for that of the system
	limit int64
	mem   []byte
	file  *os.File
}

func (s *scratch) WriteAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if s.file == nil && end <= s.limit {
		if more := end - int64(len(s.mem)); more > 0 {
			s.mem = append(s.mem, make([]byte, more)...)
		}
		return copy(s.mem[off:], p), nil
	}
	if s.file == nil {
		if err := s.spill(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.WriteAt(p, off)
	if err != nil {
		err = s.failed(err)
	}
	return n, err
}

func (s *scratch) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if s.file == nil {
		if off < int64(len(s.mem)) {
			n = copy(p, s.mem[off:])
		}
	} else {
		var err error
		if n, err = s.file.ReadAt(p, off); err != nil && err != io.EOF {
			return n, err
		}
	}
	clear(p[n:])
	return len(p), nil
}

// spill moves what is in memory to a file without a name.
func (s *scratch) spill() error {
	f, err := os.CreateTemp(s.dir, "strata-archive-")
	if err != nil {
		return s.failed(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return err
	}
	if _, err := f.WriteAt(s.mem, 0); err != nil {
		f.Close()
		return s.failed(err)
	}
	s.file, s.mem = f, nil
	return nil
}

func (s *scratch) failed(err error) error {
	dir := s.dir
	if dir == "" {
		dir = os.TempDir()
	}
	return fmt.Errorf("temporary data of an archive, in %s: %w; there has to be room for 50 bytes for each blob of the archive, and 32 for each block of the image", dir, err)
}

func (s *scratch) close() {
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.mem = nil, nil
}
