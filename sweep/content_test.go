package sweep

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"strata/spdk/sim"
)

const (
	blockSize = 512
	blocks    = 12
)

// block is what a host has written to one.
type block struct {
	volume byte // the first letter of its name
	n      uint32
	at     uint32
}

func (b block) String() string {
	return fmt.Sprintf("write %d of %q to block %d", b.n, b.volume, b.at)
}

func (b block) bytes() []byte {
	p := bytes.Repeat([]byte{b.volume}, blockSize)
	binary.LittleEndian.PutUint32(p, b.n)
	binary.LittleEndian.PutUint32(p[4:], b.at)
	return p
}

func parseBlock(p []byte) (block, error) {
	b := block{p[8], binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:])}
	if !bytes.Equal(p, b.bytes()) {
		return b, fmt.Errorf("it is torn")
	}
	return b, nil
}

// offset spreads the blocks over the first clusters of the volume.
func offset(b int) int64 { return int64(b)*(1<<20)/4 + int64(b)*blockSize }

// content is what a volume or a layer has in the blocks that hosts write.
type content [blocks]block

func contentOf(v *sim.View, l sim.Stored) (c content, err error) {
	return contentIn(v, l, span{to: math.MaxInt64})
}

// contentIn is contentOf for an lvol that has a span of the disk.
func contentIn(v *sim.View, l sim.Stored, s span) (c content, err error) {
	p := make([]byte, blockSize)
	for b := range blocks {
		at, here := s.in(offset(b))
		if !here {
			continue
		}
		if err := deciphered(v, l, p, at); err != nil {
			return c, fmt.Errorf("%s/%s: block %d: %w", l.Node, l.Name, b, err)
		}
		if c[b], err = parseBlock(p); err != nil {
			return c, fmt.Errorf("%s/%s: block %d: %w", l.Node, l.Name, b, err)
		}
	}
	return c, nil
}

// last is the number of the youngest write.
func (c content) last() (n uint32) {
	for _, b := range c {
		n = max(n, b.n)
	}
	return n
}

// instant checks that a host's volume had all of this at one moment: the
// youngest write and, of every other block, the one before it.
func (c content) instant() error {
	n := c.last()
	for b, got := range c {
		want := n - (n+blocks-uint32(b))%blocks
		if got.n != want || int(got.at) != b {
			return fmt.Errorf("block %d has %v, and another write %d: the volume never was like that", b, got, n)
		}
	}
	return nil
}
