// Package dir keeps an archive in a directory, laid out as restic lays out a local
// repository.
package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"strata/archive"
)

// Store is a directory. What is written is in a file of another name first, is brought
// to the disk, and gets its name then.
type Store struct {
	path string
	tidy sync.Once
	// AppendOnly has it refuse to delete anything but locks.
	AppendOnly bool
}

// Open is the store of a directory, which need not exist: Put makes what is missing.
// The path is made absolute.
func Open(path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &Store{path: abs}, nil
}

// String is the path.
func (s *Store) String() string { return s.path }

// temporary is the directory of files that are being written. What is left there by who
// was killed goes after a day.
const temporary, leftover = "tmp", 24 * time.Hour

func (s *Store) file(name string) string { return filepath.Join(s.path, filepath.FromSlash(name)) }

// Put writes a file. Errors name it; a full disk is syscall.ENOSPC.
func (s *Store) Put(ctx context.Context, name string, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir := filepath.Dir(s.file(name))
	if err := errors.Join(s.mkdir(dir), s.mkdir(s.file(temporary))); err != nil {
		return fmt.Errorf("archive %w", err)
	}
	s.tidy.Do(s.sweep)
	part := s.file(temporary + "/" + rand.Text())
	if err := write(part, content); err != nil {
		os.Remove(part)
		return fmt.Errorf("archive %w", err)
	}
	if err := os.Rename(part, s.file(name)); err != nil {
		os.Remove(part)
		return fmt.Errorf("archive %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("archive %w", err)
	}
	return nil
}

// sweep deletes what was left in being written.
func (s *Store) sweep() {
	old, _ := os.ReadDir(s.file(temporary))
	for _, d := range old {
		if info, err := d.Info(); err == nil && time.Since(info.ModTime()) > leftover {
			os.Remove(s.file(temporary + "/" + d.Name()))
		}
	}
}

func write(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// Nobody writes to files of a repository.
	return os.Chmod(path, 0o400)
}

// mkdir makes a directory and those above, and has each be found after a crash.
func (s *Store) mkdir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := s.mkdir(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(above)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Get reads n bytes from off on, or all from there.
func (s *Store) Get(ctx context.Context, name string, off, n int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.file(name))
	if err != nil {
		return nil, fmt.Errorf("archive %w", err)
	}
	defer f.Close()
	if n < 0 {
		info, err := f.Stat()
		if err != nil {
			return nil, fmt.Errorf("archive %w", err)
		}
		n = max(0, info.Size()-off)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(f, off, n), p); err != nil {
		return nil, fmt.Errorf("archive %s: bytes %d to %d cannot be read: %w", s.file(name), off, off+n, err)
	}
	return p, nil
}

// List lists files.
func (s *Store) List(ctx context.Context, dir string) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		err := filepath.WalkDir(s.file(dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case d.IsDir():
				return nil
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if !yield(archive.Entry{Name: d.Name(), Size: info.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(archive.Entry{}, fmt.Errorf("archive %w", err))
		}
	}
}

// Delete deletes a file.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.AppendOnly && !strings.HasPrefix(name, "locks/") {
		return fmt.Errorf("archive %s: %w", s.file(name), archive.ErrAppendOnly)
	}
	if err := os.Remove(s.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("archive %w", err)
	}
	return nil
}
