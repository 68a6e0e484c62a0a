package archive

import (
	"context"
	"math/rand/v2"
	"time"
)

func init() {
	scryptN, scryptP = 1<<10, 1 // keys of tests need not be dear
	lockSettle = 20 * time.Millisecond
}

// FakeIndex has the index say that so many blobs are there, sixteen a pack.
func FakeIndex(ctx context.Context, r *Repository, blobs int) error {
	chance := rand.NewChaCha8([32]byte{3})
	var packs []indexedPack
	for blobs > 0 {
		var p indexedPack
		chance.Read(p.ID[:])
		for i := range uint32(16) {
			b := blob{Offset: i << 20, Length: 1 << 20}
			chance.Read(b.ID[:])
			p.Blobs = append(p.Blobs, b)
		}
		blobs -= 16
		if packs = append(packs, p); len(packs) == indexBlobs/16 || blobs <= 0 {
			if err := r.writeIndex(ctx, packs); err != nil {
				return err
			}
			packs = packs[:0]
		}
	}
	return nil
}
