package backup

import (
	"context"
	"crypto/sha256"

	"strata/archive"
	"strata/catalog"
	"strata/diskimage"
	"strata/lineage"
)

// Content is what is written to an lvol: its size, in which pieces it comes, both in bytes,
// and those that are not zero, or not as what the lvol stands on. Where Blocks fails nothing
// of it is of use.
type Content struct {
	Size, Block int64
	Over        bool // the lvol stands on something, and zeroes are pieces as others
	// Blocks may ask whether the lvol has a piece of that SHA-256 already.
	Blocks func(ctx context.Context, has Has, f func(archive.Block) error) error
	// Zeroes has the pieces that are zero, and have room in the layer that this is the image of,
	// where they have none in what the lvol stands on: a target does not zero a cluster of
	// which hosts write a part, and what is zero there is to stay so. nil: none are known.
	Zeroes func(ctx context.Context, f func(off, n int64) error) error
}

// Has reports whether there is a piece of that SHA-256 somewhere, in bytes.
type Has = func(ctx context.Context, off, n int64, sum archive.ID) (bool, error)

// Content is the image of a layer, for an lvol that is empty, or stands on the image of
// another. Where the archive has that one no more, or cut otherwise, what the lvol has is
// read and compared. done is to be called when it is written.
func (a *Archives) Content(ctx context.Context, name string, c lineage.Cluster, layer, over lineage.LvolName) (of Content, done func(), err error) {
	image, err := a.image(ctx, name, c, layer)
	if err != nil {
		return of, nil, err
	}
	of = Content{Size: image.Size, Block: image.BlockSize, Over: over != ""}
	of.Blocks = func(ctx context.Context, has Has, f func(archive.Block) error) error {
		switch {
		case over == "":
			return image.Blocks(ctx, nil, f)
		case a.Look(ctx, []string{name})[name].Find(c, over) == nil:
			return image.BlocksUnless(ctx, has, f)
		}
		old, err := a.image(ctx, name, c, over)
		if err != nil {
			return err
		}
		defer old.Close()
		if old.BlockSize != image.BlockSize {
			return image.BlocksUnless(ctx, has, f)
		}
		return image.Blocks(ctx, old, f)
	}
	of.Zeroes = func(ctx context.Context, f func(off, n int64) error) error {
		sent, _ := sentIn(image)
		if over == "" || len(sent) == 0 {
			return zeroes(ctx, image, sent, f)
		}
		if a.Look(ctx, []string{name})[name].Find(c, over) != nil {
			old, err := a.image(ctx, name, c, over)
			if err != nil {
				return err
			}
			below, _ := sentIn(old)
			old.Close()
			sent = sent.without(below)
		}
		return zeroes(ctx, image, sent, f)
	}
	return of, func() { image.Close() }, nil
}

// sumsAtATime is of how many pieces sums are asked for.
const sumsAtATime = 1024

// zeroes calls f with the pieces of an image that are zero, of those in extents.
func zeroes(ctx context.Context, image *archive.Image, in extents, f func(off, n int64) error) error {
	block, next := image.BlockSize, int64(0)
	whole := archive.ID(sha256.Sum256(make([]byte, block)))
	for _, x := range in {
		first, end := max(x[0]*grain/block, next), min((x[0]+x[1])*grain+block-1, image.Size+block-1)/block
		for next = max(next, end); first < end; first += sumsAtATime {
			sums, err := image.Sums(ctx, first, min(sumsAtATime, end-first))
			if err != nil {
				return err
			}
			for i, sum := range sums {
				off := (first + int64(i)) * block
				n, zero := min(block, image.Size-off), whole
				if n < block {
					zero = sha256.Sum256(make([]byte, n))
				}
				if sum != zero {
					continue
				}
				if err := f(off, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// OfFile is a raw image that has to have that SHA-256, for an lvol of clusters of that size.
func OfFile(i *diskimage.File, sum string, cluster int64) Content {
	block := catalog.Block(cluster)
	return Content{Size: i.Size(), Block: block, Blocks: func(ctx context.Context, _ Has, f func(archive.Block) error) error {
		return i.Blocks(ctx, block, sum, func(b diskimage.Block) error {
			return f(archive.Block{Off: b.Off, Len: int64(len(b.Data)), Data: b.Data})
		})
	}}
}

// LookAtImages says of files what is found of the raw images in them; of those in raw
// whatever they look like.
func LookAtImages(files map[string]bool) catalog.Images {
	all := catalog.Images{}
	for name, raw := range files {
		found := &catalog.Image{}
		all[name] = found
		i, err := diskimage.Open(name, raw)
		if err == nil {
			found.Size = i.Size()
			found.Data, err = i.Data()
			i.Close()
		}
		if err != nil {
			found.Unread = err.Error()
		}
	}
	return all
}
