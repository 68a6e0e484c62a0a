package archive

import (
	"errors"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// maxBlob is the largest content that is read, in bytes: restic's trees of one huge
// file can be this long, blocks and its chunks are far shorter.
const maxBlob = 128 << 20

// atOnce is how many blobs are worked on at a time: each takes some MiB, and what eight
// CPUs do no store keeps up with.
func atOnce() int { return min(8, runtime.GOMAXPROCS(0)) }

// codec compresses. It may be used concurrently.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	n := atOnce()
	// What is compressed at a time is a block: a larger window would only take memory.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(n), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(n), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxBlob))
	return &codec{enc, dec}, err
}

// compress appends to dst.
func (c *codec) compress(dst, plain []byte) []byte { return c.enc.EncodeAll(plain, dst) }

// expand is what was compressed; size is how long it should be, less than 0 if that is
// not known.
func (c *codec) expand(packed []byte, size int) ([]byte, error) {
	if size > maxBlob {
		return nil, errors.New("it is longer than any that is known")
	}
	plain, err := c.dec.DecodeAll(packed, make([]byte, 0, max(size, 0)))
	if err == nil && size >= 0 && len(plain) != size {
		err = errors.New("it is not as long as the index says")
	}
	return plain, err
}

func (c *codec) close() {
	c.enc.Close()
	c.dec.Close()
}
