package backup

import (
	"context"

	"strata/archive"
	"strata/catalog"
	"strata/diskimage"
)

// Content is what is written to an lvol: its size, in which pieces it comes, both in bytes,
// and those that are not zero. Where Blocks fails nothing of it is of use.
type Content struct {
	Size, Block int64
	Blocks      func(ctx context.Context, f func(archive.Block) error) error
}

// OfRecord is the image of a record.
func OfRecord(i *archive.Image) Content {
	return Content{i.Size, i.BlockSize, func(ctx context.Context, f func(archive.Block) error) error { return i.Blocks(ctx, nil, f) }}
}

// OfFile is a raw image that has to have that SHA-256, for an lvol of clusters of that size.
func OfFile(i *diskimage.File, sum string, cluster int64) Content {
	block := catalog.Block(cluster)
	return Content{i.Size(), block, func(ctx context.Context, f func(archive.Block) error) error {
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
