package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
)

// Image is an image of a record. Its methods may be called concurrently. What it keeps
// in memory does not grow with the image.
type Image struct {
	Record    Record
	Size      int64 // bytes
	BlockSize int64 // bytes
	// Content follows from the SHA-256 of every block and its position: images that are cut
	// in the same way are equal if it is.
	Content ID
	// Note is the JSON that was given to Commit.
	Note json.RawMessage

	shape  shape
	repo   *Repository
	lock   *lock
	groups []ID
	lists  *cache[listKey, []ID]
}

// listKey is of a tree: the trees of a group, or the blocks of a piece. Pieces with the
// same content have the same.
type listKey struct {
	tree  ID
	group bool
}

// listRoom bounds what an image keeps of lists of blocks, in bytes.
const listRoom = 8 << 20

// Image opens the image of a record that Commit made. Until it is closed a lock keeps
// others from pruning (Options.NoLocks apart).
func (r *Repository) Image(ctx context.Context, rec Record) (*Image, error) {
	l, err := r.lock(ctx, false)
	if err != nil {
		return nil, err
	}
	i, err := r.image(ctx, rec)
	if err != nil {
		l.release()
		return nil, err
	}
	i.lock = l
	return i, nil
}

// Close gives the lock back.
func (i *Image) Close() error {
	i.lock.release()
	i.lock = nil
	return nil
}

func (r *Repository) image(ctx context.Context, rec Record) (*Image, error) {
	// Another backup or prune may have been there since the index was read.
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	i, err := r.readImage(ctx, rec)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", rec.ID.Short(), err)
	}
	return i, nil
}

func (r *Repository) readImage(ctx context.Context, rec Record) (*Image, error) {
	volumes, err := r.loadTree(ctx, rec.tree)
	if err != nil {
		return nil, err
	}
	if len(volumes) != 1 || volumes[0].Subtree == nil {
		return nil, fmt.Errorf("it is no image of a volume: it has %d entries, not a directory with %s", len(volumes), imageFile)
	}
	volume, err := r.loadTree(ctx, *volumes[0].Subtree)
	if err != nil {
		return nil, err
	}
	var content *ID
	var d *description
	for _, n := range volume {
		switch n.Name {
		case imageDir:
			content = n.Subtree
		case imageFile:
			if d, err = r.describe(ctx, n); err != nil {
				return nil, err
			}
		}
	}
	if d == nil || content == nil {
		return nil, fmt.Errorf("it is no image of a volume: %s lacks %s or %s", volumes[0].Name, imageFile, imageDir)
	}
	if d.Content != *content {
		return nil, fmt.Errorf("its image is not the one that %s states (%s, not %s): somebody has changed the record", imageFile, content.Short(), d.Content.Short())
	}
	i := &Image{Record: rec, Size: d.Size, BlockSize: d.BlockSize, Content: d.Content, Note: d.Note, shape: d.shape, repo: r}
	i.lists = newCache[listKey](listRoom, func(l []ID) int64 { return int64(len(l) * len(ID{})) })
	i.groups, err = i.subtrees(ctx, *content)
	if err == nil && int64(len(i.groups)) != d.groups() {
		err = fmt.Errorf("%w: the image has %d groups, not %d", ErrDamaged, len(i.groups), d.groups())
	}
	return i, err
}

func (r *Repository) describe(ctx context.Context, n node) (*description, error) {
	if len(n.Content) != 1 {
		return nil, fmt.Errorf("%s is not in one blob", imageFile)
	}
	text, err := r.blob(ctx, dataBlob, n.Content[0])
	if err != nil {
		return nil, err
	}
	var d description
	if err := d.decode(text); err != nil {
		return nil, fmt.Errorf("%s: %w", imageFile, err)
	}
	return &d, nil
}

// subtrees are the trees of a directory whose entries are numbered.
func (i *Image) subtrees(ctx context.Context, dir ID) ([]ID, error) {
	nodes, err := i.repo.loadTree(ctx, dir)
	if err != nil {
		return nil, err
	}
	ids := make([]ID, len(nodes))
	for at, node := range nodes {
		if node.Name != dirName(int64(at)) || node.Subtree == nil {
			return nil, fmt.Errorf("%w: entry %d of directory %s of the image is %q", ErrDamaged, at, dir.Short(), node.Name)
		}
		ids[at] = *node.Subtree
	}
	return ids, nil
}

// pieceTree is the tree of a piece.
func (i *Image) pieceTree(ctx context.Context, p int64) (ID, error) {
	g := p / groupPieces
	trees, err := i.lists.get(ctx, listKey{i.groups[g], true}, func() ([]ID, error) { return i.subtrees(ctx, i.groups[g]) })
	if err == nil && int64(len(trees)) != i.shape.inGroup(g) {
		err = fmt.Errorf("%w: group %d of the image, tree %s, has %d pieces, not %d", ErrDamaged, g, i.groups[g].Short(), len(trees), i.shape.inGroup(g))
	}
	if err != nil {
		return ID{}, err
	}
	return trees[p%groupPieces], nil
}

// piece is the blocks of a piece.
func (i *Image) piece(ctx context.Context, p int64) ([]ID, error) {
	tree, err := i.pieceTree(ctx, p)
	if err != nil {
		return nil, err
	}
	list, err := i.lists.get(ctx, listKey{tree, false}, func() ([]ID, error) {
		nodes, err := i.repo.loadTree(ctx, tree)
		if err == nil && len(nodes) != 1 {
			err = fmt.Errorf("%w: tree %s has %d entries, and a piece of an image has one", ErrDamaged, tree.Short(), len(nodes))
		}
		if err != nil {
			return nil, err
		}
		return nodes[0].Content, nil
	})
	if err == nil && int64(len(list)) != i.shape.inPiece(p) {
		err = fmt.Errorf("%w: piece %d of the image, tree %s, has %d blocks, not %d", ErrDamaged, p, tree.Short(), len(list), i.shape.inPiece(p))
	}
	return list, err
}

// block is the content of a block.
func (i *Image) block(ctx context.Context, n int64) ([]byte, error) {
	list, err := i.piece(ctx, n/i.shape.perPiece())
	if err != nil {
		return nil, err
	}
	data, err := i.repo.blob(ctx, dataBlob, list[n%i.shape.perPiece()])
	if err == nil && int64(len(data)) != i.shape.blockLen(n) {
		err = fmt.Errorf("%w: block %d of the image has %d bytes, not %d", ErrDamaged, n, len(data), i.shape.blockLen(n))
	}
	return data, err
}

// readAhead is how many blocks of one ReadAt are fetched at a time.
const readAhead = 4

// ReadAt reads any range, as io.ReaderAt does.
func (i *Image) ReadAt(p []byte, off int64) (int, error) {
	return i.ReadAtContext(context.Background(), p, off)
}

// ReadAtContext is ReadAt until ctx ends.
func (i *Image) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("a read at %d is not in an image", off)
	}
	if off >= i.Size {
		return 0, io.EOF
	}
	short := int64(len(p)) > i.Size-off
	p = p[:min(int64(len(p)), i.Size-off)]
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAhead)
	for at := 0; at < len(p); {
		n, from := (off+int64(at))/i.BlockSize, (off+int64(at))%i.BlockSize
		part := p[at:min(len(p), at+int(i.shape.blockLen(n)-from))]
		at += len(part)
		group.Go(func() error {
			data, err := i.block(ctx, n)
			if err == nil {
				copy(part, data[from:])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("reading record %s at %d: %w", i.Record.ID.Short(), off, err)
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}
