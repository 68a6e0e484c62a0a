package archive

import (
	"context"
	"errors"
	"iter"
)

// Directories of a repository, and its one file outside of them. Files in them are
// named after the SHA-256 of their content; packs are in data, in a directory named
// after the first two digits.
const (
	configFile   = "config"
	keysDir      = "keys"
	dataDir      = "data"
	indexDir     = "index"
	snapshotsDir = "snapshots"
	locksDir     = "locks"
)

// Directories are those of a repository.
var Directories = []string{dataDir, indexDir, keysDir, locksDir, snapshotsDir}

// ErrAppendOnly says that a store refuses to have files deleted.
var ErrAppendOnly = errors.New("nothing may be deleted there")

// Store keeps the files of a repository. Names are paths with slashes: "config",
// "index/ID", "data/XX/ID", XX the first two digits of ID. Methods may be called
// concurrently, and retry by themselves what may pass. Errors name the store and the
// file.
type Store interface {
	// Put writes a file. When it returns nil the file is there whole and durably; until
	// then, and if it fails, it is there whole or not at all. It does not keep content.
	Put(ctx context.Context, name string, content []byte) error
	// Get reads n bytes from off on, or all from there if n is less than 0. Fewer than n
	// is an error. One that there is not is fs.ErrNotExist.
	Get(ctx context.Context, name string, off, n int64) ([]byte, error)
	// List lists the files of a directory, and of those below. One that does not exist
	// is empty. It ends with the first error.
	List(ctx context.Context, dir string) iter.Seq2[Entry, error]
	// Delete deletes a file. One that does not exist is no error. A store that lets
	// nothing be deleted returns ErrAppendOnly; locks it should let be.
	Delete(ctx context.Context, name string) error
	// String says where it is, as errors do.
	String() string
}

// Entry is a file in a Store.
type Entry struct {
	Name string // without directories
	Size int64  // bytes
}

// packName is where a pack is.
func packName(id ID) string {
	hex := id.String()
	return dataDir + "/" + hex[:2] + "/" + hex
}
