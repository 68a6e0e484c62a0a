package archive

import (
	"context"
	"fmt"
	"io"
	"sort"

	"golang.org/x/sync/errgroup"
)

// File is a file of any record, such as one that restic has backed up. Its list of blobs
// is in memory: 40 bytes for each, which restic makes 1 MiB long in the mean.
type File struct {
	Size int64 // bytes

	repo    *Repository
	lock    *lock
	content []ID
	ends    []int64 // where each blob ends
}

// File opens a file of a record by its path from the root of the record. What is no
// file of the record is fs.ErrNotExist. A lock is held until it is closed.
func (r *Repository) File(ctx context.Context, rec Record, path string) (*File, error) {
	l, err := r.lock(ctx, false)
	if err != nil {
		return nil, err
	}
	f, err := r.openFileOf(ctx, rec, path)
	if err != nil {
		l.release()
		return nil, fmt.Errorf("record %s: %w", rec.ID.Short(), err)
	}
	f.lock = l
	return f, nil
}

func (r *Repository) openFileOf(ctx context.Context, rec Record, path string) (*File, error) {
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	n, err := r.lookup(ctx, rec.tree, path)
	if err != nil {
		return nil, err
	}
	if n.Type != "file" {
		return nil, fmt.Errorf("%s is a %s, and no file", path, n.Type)
	}
	f := &File{repo: r, content: n.Content, ends: make([]int64, len(n.Content))}
	for i, id := range n.Content {
		at, err := r.places(ctx, dataBlob, id)
		if err != nil {
			return nil, err
		}
		f.Size += int64(at[0].size())
		f.ends[i] = f.Size
	}
	return f, nil
}

// Close gives the lock back.
func (f *File) Close() error {
	f.lock.release()
	f.lock = nil
	return nil
}

// ReadAt reads any range, as io.ReaderAt does.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("a read at %d is not in a file", off)
	}
	if off >= f.Size {
		return 0, io.EOF
	}
	short := int64(len(p)) > f.Size-off
	p = p[:min(int64(len(p)), f.Size-off)]
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(readAhead)
	i := sort.Search(len(f.ends), func(i int) bool { return f.ends[i] > off })
	for at := 0; at < len(p); i++ {
		from := off + int64(at)
		n, start := i, from-(f.ends[i]-f.length(i))
		part := p[at:min(int64(len(p)), int64(at)+f.ends[i]-from)]
		at += len(part)
		group.Go(func() error {
			data, err := f.repo.blob(ctx, dataBlob, f.content[n])
			if err == nil && int64(len(data)) != f.length(n) {
				err = fmt.Errorf("%w: blob %s has %d bytes, and the index says %d", ErrDamaged, f.content[n].Short(), len(data), f.length(n))
			}
			if err == nil {
				copy(part, data[start:])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

func (f *File) length(i int) int64 {
	if i == 0 {
		return f.ends[0]
	}
	return f.ends[i] - f.ends[i-1]
}
