package archive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/scrypt"
)

// scryptMemory is how many bytes a stored key may make us use.
const scryptMemory = 512 << 20

// What scrypt costs for a new key: 32 MiB of memory, and some tenths of a second. Tests
// have it cost less.
var scryptN, scryptR, scryptP = 1 << 15, 8, 5

// ErrPassword says that no key of the repository opens with the password.
var ErrPassword = errors.New("the password is wrong, or its key was removed")

// keyFile is a file below keys: the repository's secret, sealed with one that follows
// from a password.
type keyFile struct {
	Created  time.Time `json:"created"`
	Username string    `json:"username"`
	Hostname string    `json:"hostname"`
	KDF      string    `json:"kdf"`
	N        int       `json:"N"`
	R        int       `json:"r"`
	P        int       `json:"p"`
	Salt     []byte    `json:"salt"`
	Data     []byte    `json:"data"`
}

// derive is the key that follows from the password.
func (k *keyFile) derive(password string) (*sealer, error) {
	switch {
	case k.KDF != "scrypt":
		return nil, fmt.Errorf("its key derivation is %q; only scrypt is known", k.KDF)
	case k.N < 2 || k.R < 1 || k.P < 1 || k.N > scryptMemory/128 || k.R > scryptMemory/128/k.N || k.P > 1<<10:
		return nil, fmt.Errorf("scrypt with N %d, r %d, p %d needs more than %d MiB, or is not possible", k.N, k.R, k.P, scryptMemory>>20)
	}
	raw, err := scrypt.Key([]byte(password), k.Salt, k.N, k.R, k.P, 64)
	if err != nil {
		return nil, err
	}
	return newSealer(secretFrom(raw))
}

// open is the repository's secret.
func (k *keyFile) open(password string) (*sealer, error) {
	s, err := k.derive(password)
	if err != nil {
		return nil, err
	}
	plain, err := s.open(append([]byte(nil), k.Data...))
	if err != nil {
		return nil, ErrPassword
	}
	var repository secret
	if err := json.Unmarshal(plain, &repository); err != nil {
		return nil, err
	}
	return newSealer(&repository)
}

// putKey stores the secret under a password.
func putKey(ctx context.Context, st Store, password string, repository *secret, by agent) error {
	k := &keyFile{Created: time.Now(), Username: by.Username, Hostname: by.Hostname, KDF: "scrypt", N: scryptN, R: scryptR, P: scryptP, Salt: make([]byte, 64)}
	rand.Read(k.Salt)
	s, err := k.derive(password)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(repository)
	if err != nil {
		return err
	}
	k.Data = s.seal(nil, plain)
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return st.Put(ctx, keysDir+"/"+ID(sha256.Sum256(text)).String(), text)
}

// findKey tries the keys in turn, as restic does, and no more than 20 of them.
func findKey(ctx context.Context, st Store, password string) (*sealer, error) {
	tried, why := 0, error(nil)
	for entry, err := range st.List(ctx, keysDir) {
		if err != nil {
			return nil, err
		}
		if tried++; tried > 20 {
			break
		}
		text, err := st.Get(ctx, keysDir+"/"+entry.Name, 0, -1)
		if err != nil {
			return nil, err
		}
		var k keyFile
		if err := json.Unmarshal(text, &k); err != nil {
			why = fmt.Errorf("%s/%s: %w", keysDir, entry.Name, err)
			continue
		}
		s, err := k.open(password)
		switch {
		case err == nil:
			return s, nil
		case !errors.Is(err, ErrPassword):
			why = fmt.Errorf("%s/%s: %w", keysDir, entry.Name, err)
		}
	}
	switch {
	case tried == 0:
		return nil, fmt.Errorf("it has a config and no keys: without one nothing in it can be read; if there is a copy of %s anywhere, put it back", keysDir)
	case why != nil:
		return nil, fmt.Errorf("%w (%w)", ErrPassword, why)
	}
	return nil, ErrPassword
}
