package archive

import (
	"context"
	"sync"
)

// carpenter makes the trees of pieces.
type carpenter struct {
	*Backup
	mu    sync.Mutex
	empty map[int64]ID // trees of pieces that are all zero, by how many blocks they have
	zero  map[int64]ID // blobs of zeroes that were stored, by length
}

// piece is the tree of a piece.
func (k *carpenter) piece(ctx context.Context, p int64) (ID, error) {
	based := k.base != nil && p < k.base.shape.pieces()
	if !k.touched[p] {
		switch {
		case based && k.base.shape.pieceLen(p) == k.shape.pieceLen(p):
			return k.base.pieceTree(ctx, p)
		case !based && k.shape.pieceLen(p) == k.shape.inPiece(p)*k.shape.BlockSize:
			return k.emptyPiece(ctx, p)
		}
	}
	list, err := k.list(ctx, p, based)
	if err != nil {
		return ID{}, err
	}
	return k.repo.saveTree(ctx, k.saver, fileNode(pieceFile, k.shape.pieceLen(p), list))
}

// list is the IDs of a piece's blocks: those written, else the base's, else zeroes.
func (k *carpenter) list(ctx context.Context, p int64, based bool) (list []ID, err error) {
	var old []ID
	if based {
		if old, err = k.base.piece(ctx, p); err != nil {
			return nil, err
		}
	}
	first := p * k.shape.perPiece()
	raw := make([]byte, k.shape.inPiece(p)*int64(len(ID{})))
	if _, err := k.ids.ReadAt(raw, first*int64(len(ID{}))); err != nil {
		return nil, err
	}
	list = make([]ID, k.shape.inPiece(p))
	for i := range list {
		length := k.shape.blockLen(first + int64(i))
		list[i] = ID(raw[i*len(ID{}):])
		switch {
		case list[i] != (ID{}):
		case i >= len(old):
			list[i], err = k.zeroBlock(ctx, length)
		case k.base.shape.blockLen(first+int64(i)) != length:
			list[i], err = k.refit(ctx, old[i], length)
		default:
			list[i] = old[i]
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// refit stores a block of the base with another length: it was the last and the image
// has grown, or it is now the last.
func (k *carpenter) refit(ctx context.Context, old ID, length int64) (ID, error) {
	data, err := k.repo.blob(ctx, dataBlob, old)
	if err != nil {
		return ID{}, err
	}
	fitted := make([]byte, length)
	copy(fitted, data)
	return k.saver.save(ctx, dataBlob, fitted)
}

// zeroBlock stores a block of zeroes.
func (k *carpenter) zeroBlock(ctx context.Context, length int64) (ID, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, is := k.zero[length]; is {
		return id, nil
	}
	id, err := k.saver.save(ctx, dataBlob, make([]byte, length))
	if err == nil {
		k.zero[length] = id
	}
	return id, err
}

// emptyPiece is the tree of a piece of whole blocks that are all zero.
func (k *carpenter) emptyPiece(ctx context.Context, p int64) (ID, error) {
	n := k.shape.inPiece(p)
	k.mu.Lock()
	id, is := k.empty[n]
	k.mu.Unlock()
	if is {
		return id, nil
	}
	list, err := k.list(ctx, p, false)
	if err != nil {
		return ID{}, err
	}
	id, err = k.repo.saveTree(ctx, k.saver, fileNode(pieceFile, k.shape.pieceLen(p), list))
	if err == nil {
		k.mu.Lock()
		k.empty[n] = id
		k.mu.Unlock()
	}
	return id, err
}
