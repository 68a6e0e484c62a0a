// Package diskimage reads raw images of disks in files: how large they are, where there is
// data, and what SHA-256 all of it has. It knows no volume, and writes nothing.
package diskimage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"golang.org/x/sync/errgroup"
)

// File is a raw image.
type File struct {
	f    *os.File
	size int64
}

// Open opens a regular file that is not empty. One that looks like an image in another
// format, or like a compressed one, is refused by the name of that, unless it is said to be
// raw.
func Open(name string, raw bool) (*File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	i := &File{f: f}
	if err := i.look(raw); err != nil {
		f.Close()
		return nil, err
	}
	return i, nil
}

func (i *File) look(raw bool) error {
	info, err := i.f.Stat()
	if err != nil {
		return err
	}
	if i.size = info.Size(); i.size == 0 {
		return fmt.Errorf("%s is empty", i.f.Name())
	}
	if raw {
		return nil
	}
	format, err := formatOf(i.f, i.size)
	if err != nil {
		return err
	}
	if format != nil {
		return fmt.Errorf("%s is %s, and only raw images are read: %s; a raw image that only looks like it is taken with format: \"raw\"", i.f.Name(), format.name, format.hint)
	}
	return nil
}

// Close closes the file.
func (i *File) Close() error { return i.f.Close() }

// Size is how large the disk is, in bytes.
func (i *File) Size() int64 { return i.size }

// Data is how many bytes are outside of the file's holes.
func (i *File) Data() (n int64, err error) {
	for at := int64(0); at < i.size; {
		from, to, err := i.extent(at)
		if err != nil {
			return 0, err
		}
		n += to - from
		at = to
	}
	return n, nil
}

// Block is a piece of an image that is not all zero.
type Block struct {
	Off  int64
	Data []byte // not to be kept
}

// writers is how many pieces are given on at a time.
const writers = 8

// Blocks calls f with the pieces of the image, of that many bytes, that are not all zero,
// the last one with zeroes at its end. f is called by several goroutines at a time. It
// fails at the end if the file has not the SHA-256 sum, in hexadecimal: what was given on is
// of use only when Blocks has returned nil.
func (i *File) Blocks(ctx context.Context, piece int64, sum string, f func(Block) error) error {
	group, ctx := errgroup.WithContext(ctx)
	free := make(chan []byte, writers)
	for range writers {
		free <- make([]byte, piece)
	}
	zeros, hash := make([]byte, piece), sha256.New()
	for off := int64(0); off < i.size && ctx.Err() == nil; off += piece {
		n := min(piece, i.size-off)
		from, _, err := i.extent(off)
		if err == nil && from >= off+n {
			hash.Write(zeros[:n])
			continue
		}
		var data []byte
		select {
		case data = <-free:
		case <-ctx.Done():
			continue
		}
		if err == nil {
			_, err = i.f.ReadAt(data[:n], off)
		}
		if err == io.EOF {
			err = fmt.Errorf("%s has become shorter than %d bytes", i.f.Name(), i.size)
		}
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		hash.Write(data[:n])
		clear(data[n:])
		if bytes.Equal(data, zeros) {
			free <- data
			continue
		}
		group.Go(func() error {
			err := f(Block{off, data})
			free <- data
			return err
		})
	}
	err := context.Cause(ctx)
	if werr := group.Wait(); werr != nil {
		return werr
	}
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return fmt.Errorf("%s has the SHA-256 %s, not %s", i.f.Name(), got, sum)
	}
	return nil
}
