package archive

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
)

// Options say how a repository is used.
type Options struct {
	Password string
	// TempDir is where temporary data is, that of the system if empty: some 50 bytes for
	// each blob of the repository, and 32 for each block of an image that is written, as
	// far as they do not fit into some MiB of memory.
	TempDir string
	// NoLocks leaves locks out, for what may only be read: then nobody knows of who reads,
	// and what a prune deletes meanwhile is missed. Nothing can be written.
	NoLocks bool
	// Cache bounds the memory for blobs that were read, of all images together, in bytes;
	// 64 MiB if 0.
	Cache int64
}

// Repository is one that is open. Its methods may be called concurrently.
type Repository struct {
	store Store
	codec *codec
	seal  *sealer
	dir   string
	locks bool
	by    agent
	blobs *cache[key, []byte]
	// zeroes has the IDs of so many zero bytes.
	zeroes sync.Map

	// refreshing is held by who reads or notes index files.
	refreshing sync.Mutex
	pending    pending
	index      atomic.Pointer[index]
}

// config is the content of the file of that name.
type config struct {
	Version    int        `json:"version"`
	ID         ID         `json:"id"`
	Polynomial polynomial `json:"chunker_polynomial"`
}

// ErrExists says that there is a repository already.
var ErrExists = errors.New("there is a repository already")

// ErrNone says that there is no repository.
var ErrNone = errors.New("there is no repository")

// Init makes a repository, of version 2, in a store that has none (else ErrExists).
func Init(ctx context.Context, st Store, password string) error {
	switch _, err := st.Get(ctx, configFile, 0, -1); {
	case err == nil:
		return fmt.Errorf("%s: %w", st, ErrExists)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for _, err := range st.List(ctx, keysDir) {
		if err != nil {
			return err
		}
		return fmt.Errorf("%s: it has keys and no config: that is the rest of a repository, or one that is just being made; if nobody needs it, delete it whole", st)
	}
	if password == "" {
		return fmt.Errorf("%s: a repository needs a password", st)
	}
	key := newSecret()
	seal, err := newSealer(key)
	if err != nil {
		return err
	}
	if err := putKey(ctx, st, password, key, self()); err != nil {
		return err
	}
	c := config{Version: 2, ID: ID(randomBytes()), Polynomial: newPolynomial()}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := st.Put(ctx, configFile, seal.seal(nil, text)); err != nil {
		return err
	}
	// Whoever did the same at the same time has the other config.
	_, err = readConfig(ctx, st, seal)
	return err
}

// Open opens a repository. Errors: ErrNone, ErrPassword.
func Open(ctx context.Context, st Store, o Options) (*Repository, error) {
	if _, err := st.Get(ctx, configFile, 0, -1); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w; `restic init` makes one", st, ErrNone)
	} else if err != nil {
		return nil, err
	}
	seal, err := findKey(ctx, st, o.Password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", st, err)
	}
	c, err := readConfig(ctx, st, seal)
	if err != nil {
		return nil, err
	}
	if c.Version != 2 {
		return nil, fmt.Errorf("%s: the repository has version %d of the format, and version 2 is needed; `restic migrate upgrade_repo_v2` brings version 1 there", st, c.Version)
	}
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	if o.Cache == 0 {
		o.Cache = 64 << 20
	}
	r := &Repository{store: st, codec: codec, seal: seal, dir: o.TempDir, locks: !o.NoLocks, by: self()}
	r.blobs = newCache[key, []byte](o.Cache, func(b []byte) int64 { return int64(cap(b)) })
	r.index.Store(newIndex(r.dir))
	return r, nil
}

func readConfig(ctx context.Context, st Store, seal *sealer) (c config, err error) {
	sealed, err := st.Get(ctx, configFile, 0, -1)
	if err != nil {
		return c, err
	}
	text, err := seal.open(sealed)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %s: %w", st, configFile, err)
	}
	return c, nil
}

// Close gives back memory and temporary files. Nothing must be under way.
func (r *Repository) Close() error {
	r.index.Load().close()
	r.codec.close()
	return nil
}

// compressedFile is the first byte of files that are compressed JSON.
const compressedFile = 2

// saveFile stores JSON as a file of its own.
func (r *Repository) saveFile(ctx context.Context, dir string, text []byte) (ID, error) {
	sealed := r.seal.seal(nil, r.codec.compress([]byte{compressedFile}, text))
	id := ID(sha256.Sum256(sealed))
	return id, r.store.Put(ctx, dir+"/"+id.String(), sealed)
}

// loadFile reads such a file.
func (r *Repository) loadFile(ctx context.Context, dir string, id ID) ([]byte, error) {
	sealed, err := r.store.Get(ctx, dir+"/"+id.String(), 0, -1)
	if err != nil {
		return nil, err
	}
	text, err := r.openFile(id, sealed)
	if err != nil {
		return nil, fmt.Errorf("%s: %s/%s: %w", r.store, dir, id, err)
	}
	return text, nil
}

func (r *Repository) openFile(id ID, sealed []byte) ([]byte, error) {
	if sha256.Sum256(sealed) != id {
		return nil, fmt.Errorf("it was changed or cut off: its SHA-256 is not its name")
	}
	text, err := r.seal.open(sealed)
	if err != nil {
		return nil, err
	}
	switch {
	case len(text) == 0:
		return nil, errors.New("it is empty")
	case text[0] == '{' || text[0] == '[':
		return text, nil
	case text[0] == compressedFile:
		return r.codec.expand(text[1:], -1)
	}
	return nil, fmt.Errorf("its encoding (%d) is unknown", text[0])
}
