package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// An image is stored as files of about 1 GiB, each in a directory of its own, so that a
// tree has one file's list of blocks and is the same for the same content; and a
// thousand of these directories in one above.
const (
	pieceBytes    = 1 << 30
	groupPieces   = 1 << 10
	imageDir      = "image"
	imageFile     = "image.json"
	pieceFile     = "data"
	formatOfImage = 1
)

// Bounds of an image, in bytes.
const (
	MinBlock = 4 << 10
	MaxBlock = 8 << 20
	MaxSize  = 1 << 50
)

// shape is how an image is cut.
type shape struct {
	Size      int64 `json:"size"`      // bytes
	BlockSize int64 `json:"blockSize"` // bytes; the last block may be shorter
}

func (s shape) check() error {
	switch {
	case s.Size <= 0 || s.Size > MaxSize:
		return fmt.Errorf("an image of %d bytes cannot be stored: 1 to %d bytes can", s.Size, int64(MaxSize))
	case s.BlockSize < MinBlock || s.BlockSize > MaxBlock || s.BlockSize%512 != 0:
		return fmt.Errorf("blocks of %d bytes are not possible: %d to %d bytes are, in multiples of 512", s.BlockSize, MinBlock, MaxBlock)
	}
	return nil
}

func (s shape) blocks() int64 { return (s.Size + s.BlockSize - 1) / s.BlockSize }

// blockLen is the length of a block in bytes.
func (s shape) blockLen(block int64) int64 {
	return min(s.BlockSize, s.Size-block*s.BlockSize)
}

// perPiece is how many blocks a piece has; the last may have fewer.
func (s shape) perPiece() int64 { return pieceBytes / s.BlockSize }

func (s shape) pieces() int64 { return (s.blocks() + s.perPiece() - 1) / s.perPiece() }

// inPiece is how many blocks a piece has.
func (s shape) inPiece(piece int64) int64 {
	return min(s.perPiece(), s.blocks()-piece*s.perPiece())
}

// pieceLen is the length of a piece in bytes.
func (s shape) pieceLen(piece int64) int64 {
	return min(s.perPiece()*s.BlockSize, s.Size-piece*s.perPiece()*s.BlockSize)
}

func (s shape) groups() int64 { return (s.pieces() + groupPieces - 1) / groupPieces }

func (s shape) inGroup(group int64) int64 {
	return min(groupPieces, s.pieces()-group*groupPieces)
}

// dirName is that of a group, or of a piece in it: in the order of names they are in
// the order of the image.
func dirName(n int64) string { return fmt.Sprintf("%04d", n) }

// description is the content of image.json, beside the image.
type description struct {
	Version int `json:"version"`
	shape
	// Content is the ID of the image's tree. It follows from the SHA-256 of every block
	// and its position: equal for equal images that are cut in the same way.
	Content ID `json:"content"`
	// Base is the record from which unchanged blocks were taken.
	Base *ID             `json:"base,omitempty"`
	Note json.RawMessage `json:"note,omitempty"`
}

func (d *description) decode(text []byte) error {
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(d); err != nil {
		return err
	}
	if d.Version != formatOfImage {
		return fmt.Errorf("it has version %d, and version %d is known; a newer strata reads it", d.Version, formatOfImage)
	}
	return d.check()
}

// checkVolume says what a volume may be called: as one directory.
func checkVolume(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\"") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("a volume is stored as a directory of its name: letters, digits, dots and dashes are possible")
	}
	return nil
}

// zeroes is the ID of a block of n zero bytes.
func zeroes(n int64) ID { return sha256.Sum256(make([]byte, n)) }
