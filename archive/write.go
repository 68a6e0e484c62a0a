package archive

import (
	"fmt"
	"io"
	"slices"
)

// sector is what parts of a block are told by, in bytes: writes are multiples of it.
const sector = 512

// partial is a block of which not all was written yet.
type partial struct {
	data    []byte
	written []uint64 // a bit for each sector
	left    int      // sectors
}

// partials is how many blocks may be written in part, at most.
const partials = 64

// WriteAt writes to the image: whole blocks, or in multiples of 512 bytes parts of
// blocks that other writes make whole. It does not keep p.
func (b *Backup) WriteAt(p []byte, off int64) (int, error) {
	return b.each(p, off, int64(len(p)))
}

// ZeroAt makes n bytes from off on zero.
func (b *Backup) ZeroAt(off, n int64) error {
	_, err := b.each(nil, off, n)
	return err
}

// ReadAt reads zeroes, wherever: a target that a volume is copied to is looked at when it
// is attached, and nothing that the volume has may be taken for something that is on it.
func (b *Backup) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	return len(p), nil
}

// each takes n bytes from off on block by block; nil stands for zeroes.
func (b *Backup) each(p []byte, off, n int64) (done int, err error) {
	if off < 0 || n < 0 || off+n > b.shape.Size || off%sector != 0 || n%sector != 0 && off+n != b.shape.Size {
		return 0, fmt.Errorf("a write of %d bytes at %d is not in the image's %d bytes, or not in multiples of %d", n, off, b.shape.Size, sector)
	}
	for n > 0 {
		block, at := off/b.shape.BlockSize, off%b.shape.BlockSize
		part := min(n, b.shape.blockLen(block)-at)
		data := b.zeros[:part]
		if p != nil {
			data = p[done : done+int(part)]
		}
		if part == b.shape.blockLen(block) {
			err = b.whole(block, data)
		} else {
			err = b.part(block, at, data)
		}
		if err != nil {
			return done, err
		}
		done, off, n = done+int(part), off+part, n-part
	}
	return done, nil
}

// whole queues a block.
func (b *Backup) whole(block int64, data []byte) error {
	buffer, err := b.buffer()
	if err != nil {
		return err
	}
	b.mu.Lock()
	delete(b.partial, block)
	b.mu.Unlock()
	return b.queue(block, append(buffer, data...))
}

// buffer waits for a place in the queue.
func (b *Backup) buffer() ([]byte, error) {
	select {
	case buffer := <-b.free:
		if buffer == nil {
			buffer = make([]byte, 0, b.shape.BlockSize)
		}
		return buffer[:0], nil
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	}
}

func (b *Backup) queue(block int64, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.err != nil {
		b.free <- data
		if b.err != nil {
			return b.err
		}
		return ErrClosed
	}
	o := b.latest[block]
	if o == nil {
		o = &order{}
		b.latest[block] = o
	}
	o.last++
	o.under++
	// There is room: work holds as many as there are buffers.
	b.work <- job{block, o.last, data}
	return nil
}

// part puts a part of a block beside those that came before.
func (b *Backup) part(block, at int64, data []byte) error {
	whole, err := b.join(block, at, data)
	if err != nil || whole == nil {
		return err
	}
	buffer, err := b.buffer()
	if err != nil {
		return err
	}
	return b.queue(block, append(buffer, whole...))
}

// join returns the block when the part makes it whole.
func (b *Backup) join(block, at int64, data []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	length := b.shape.blockLen(block)
	p := b.partial[block]
	if p == nil {
		if len(b.partial) >= partials {
			return nil, fmt.Errorf("more than %d blocks of %d bytes are written in part: whoever writes should finish one before many others", partials, b.shape.BlockSize)
		}
		sectors := int((length + sector - 1) / sector)
		p = &partial{data: make([]byte, length), written: make([]uint64, (sectors+63)/64), left: sectors}
		b.partial[block] = p
	}
	copy(p.data[at:], data)
	for s := at / sector; s < (at+int64(len(data))+sector-1)/sector; s++ {
		if bit := uint64(1) << (s % 64); p.written[s/64]&bit == 0 {
			p.written[s/64] |= bit
			p.left--
		}
	}
	if p.left > 0 {
		return nil, nil
	}
	delete(b.partial, block)
	return p.data, nil
}

// unfinished is the error of blocks that were written in part.
func (b *Backup) unfinished() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.partial) == 0 {
		return nil
	}
	blocks := make([]int64, 0, len(b.partial))
	for block := range b.partial {
		blocks = append(blocks, block)
	}
	first := slices.Min(blocks)
	return fmt.Errorf("%d blocks were written in part, the first at byte %d: the rest of them is missing: %w", len(blocks), first*b.shape.BlockSize, io.ErrUnexpectedEOF)
}
