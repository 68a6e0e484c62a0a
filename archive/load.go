package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
)

// place is where a blob is.
type place struct {
	blob
	pack ID
}

// places are where a blob is, by the index. If it is nowhere, what others may have
// written meanwhile is read.
func (r *Repository) places(ctx context.Context, k kind, id ID) ([]place, error) {
	all, err := r.indexed(k, id)
	if err != nil || len(all) > 0 {
		return all, err
	}
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	if all, err = r.indexed(k, id); err == nil && len(all) == 0 {
		err = r.damaged(k, id, errors.New("no index has it"))
	}
	return all, err
}

func (r *Repository) indexed(k kind, id ID) (all []place, err error) {
	x := r.index.Load()
	var numbers []uint32
	err = x.table.find(keyOf(k, id), func(rec record) bool {
		all, numbers = append(all, place{blob: rec.blob()}), append(numbers, rec.pack())
		return true
	})
	for i := range all {
		if err == nil {
			all[i].pack, err = x.packs.id(numbers[i])
		}
	}
	return all, err
}

// ErrDamaged is in the chain of errors of content that is not there any more, or was
// changed.
var ErrDamaged = errors.New("the repository is damaged")

func (r *Repository) damaged(k kind, id ID, why error) error {
	return fmt.Errorf("%s: %v blob %s: %w: %w; `restic check --read-data` says what else is; when the damaged packs are gone (`restic repair packs`, or their files deleted), a backup of all of a volume that still has the content stores it again", r.store, k, id.Short(), ErrDamaged, why)
}

// blob is the content of a blob, kept for a while: callers do not change it.
func (r *Repository) blob(ctx context.Context, k kind, id ID) ([]byte, error) {
	return r.blobs.get(ctx, keyOf(k, id), func() ([]byte, error) { return r.loadBlob(ctx, k, id) })
}

// loadBlob reads it from the first pack where it is whole.
func (r *Repository) loadBlob(ctx context.Context, k kind, id ID) ([]byte, error) {
	all, err := r.places(ctx, k, id)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		var sealed, plain []byte
		sealed, err = r.store.Get(ctx, packName(p.pack), int64(p.Offset), int64(p.Length))
		if err == nil {
			plain, err = r.openBlob(p.blob, sealed)
		}
		if err == nil {
			return plain, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		err = fmt.Errorf("pack %s: %w", p.pack, err)
	}
	return nil, r.damaged(k, id, err)
}

// openBlob is the content of what is sealed, which it may overwrite.
func (r *Repository) openBlob(b blob, sealed []byte) ([]byte, error) {
	plain, err := r.seal.open(sealed)
	if err == nil && b.Plain > 0 {
		plain, err = r.codec.expand(plain, int(b.Plain))
	}
	if err == nil && sha256.Sum256(plain) != b.ID {
		err = errors.New("its content is not what its name says")
	}
	return plain, err
}
