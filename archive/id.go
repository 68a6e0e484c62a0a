package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// ID is the SHA-256 of a file of the repository, or of a blob's content.
type ID [sha256.Size]byte

// String is the ID in hexadecimal, as files are named.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is the start of the ID, as restic shows it to people.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

// MarshalText writes the ID in hexadecimal.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads an ID in hexadecimal, of 64 digits.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(id)) {
		return fmt.Errorf("an ID has %d hexadecimal digits, this has %d", hex.EncodedLen(len(id)), len(text))
	}
	_, err := hex.Decode(id[:], text)
	return err
}

// ParseID reads an ID in hexadecimal, of 64 digits.
func ParseID(text string) (id ID, err error) {
	err = id.UnmarshalText([]byte(text))
	return id, err
}

// kind is what a blob holds.
type kind byte

const (
	dataBlob kind = iota
	treeBlob
	// packEntry marks the records of a table that are of packs, not of blobs.
	packEntry
)

func (k kind) String() string {
	switch k {
	case dataBlob:
		return "data"
	case treeBlob:
		return "tree"
	}
	return fmt.Sprintf("blob of type %d", byte(k))
}

// MarshalText writes the kind as indexes have it.
func (k kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (k *kind) UnmarshalText(text []byte) error {
	switch string(text) {
	case "data":
		*k = dataBlob
	case "tree":
		*k = treeBlob
	default:
		return fmt.Errorf("%q is no type of blob: data and tree are", text)
	}
	return nil
}
