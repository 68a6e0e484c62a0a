package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// blob is one in a pack.
type blob struct {
	ID     ID     `json:"id"`
	Kind   kind   `json:"type"`
	Offset uint32 `json:"offset"`
	Length uint32 `json:"length"` // bytes in the pack
	// Plain is the length of the content where it is compressed, else 0.
	Plain uint32 `json:"uncompressed_length,omitempty"`
}

// size is how long the content is, in bytes.
func (b blob) size() int {
	if b.Plain > 0 {
		return int(b.Plain)
	}
	return int(b.Length) - overhead
}

// What a pack's header has for a blob: type, length, of compressed ones the length of
// the content, ID.
const (
	plainEntry      = 1 + 4 + len(ID{})
	compressedEntry = plainEntry + 4
	compressedBit   = 2
	// maxPack is the longest pack that is read, and maxHeader its longest header.
	maxPack, maxHeader = 1 << 30, 16 << 20
)

// pack is one that grows.
type pack struct {
	content []byte
	blobs   []blob
}

// add appends what is sealed.
func (p *pack) add(b blob, sealed []byte) {
	b.Offset, b.Length = uint32(len(p.content)), uint32(len(sealed))
	p.content = append(p.content, sealed...)
	p.blobs = append(p.blobs, b)
}

// finish appends the header and names the pack.
func (p *pack) finish(s *sealer) ID {
	header := make([]byte, 0, len(p.blobs)*compressedEntry)
	for _, b := range p.blobs {
		t := byte(b.Kind)
		if b.Plain > 0 {
			t |= compressedBit
		}
		header = binary.LittleEndian.AppendUint32(append(header, t), b.Length)
		if b.Plain > 0 {
			header = binary.LittleEndian.AppendUint32(header, b.Plain)
		}
		header = append(header, b.ID[:]...)
	}
	at := len(p.content)
	p.content = s.seal(p.content, header)
	p.content = binary.LittleEndian.AppendUint32(p.content, uint32(len(p.content)-at))
	return sha256.Sum256(p.content)
}

// headerLength is how many bytes before the last four the header has, by those four.
func headerLength(last []byte, size int64) (int, error) {
	n := int64(binary.LittleEndian.Uint32(last))
	if n < overhead || n > maxHeader || n > size-4 {
		return 0, fmt.Errorf("it says that its header has %d bytes, which cannot be in %d", n, size)
	}
	return int(n), nil
}

// readPack is what is in a pack, by its header. It leaves the content alone.
func readPack(s *sealer, content []byte) ([]blob, error) {
	size := len(content)
	if size < overhead+4 {
		return nil, fmt.Errorf("it has %d bytes", size)
	}
	n, err := headerLength(content[size-4:], int64(size))
	if err != nil {
		return nil, err
	}
	return readHeader(s, bytes.Clone(content[size-4-n:size-4]), int64(size))
}

// readHeader decrypts a header in place. size is that of the pack: the blobs fill all
// of it but the header.
func readHeader(s *sealer, sealed []byte, size int64) (blobs []blob, err error) {
	room := size - 4 - int64(len(sealed))
	header, err := s.open(sealed)
	if err != nil {
		return nil, err
	}
	off := int64(0)
	for len(header) > 0 {
		b := blob{Kind: kind(header[0] &^ compressedBit)}
		compressed := header[0]&compressedBit != 0
		need := plainEntry
		if compressed {
			need = compressedEntry
		}
		if b.Kind > treeBlob || len(header) < need {
			return nil, errors.New("its header is none that version 2 of the format has")
		}
		b.Length = binary.LittleEndian.Uint32(header[1:])
		if compressed {
			if b.Plain = binary.LittleEndian.Uint32(header[5:]); b.Plain == 0 {
				return nil, errors.New("its header has a compressed blob without content")
			}
		}
		copy(b.ID[:], header[need-len(b.ID):need])
		header = header[need:]
		b.Offset = uint32(off)
		if off += int64(b.Length); b.Length < overhead || off > room {
			return nil, errors.New("its header has blobs that are not in it")
		}
		blobs = append(blobs, b)
	}
	if off != room {
		return nil, errors.New("its header leaves a part out")
	}
	return blobs, nil
}
