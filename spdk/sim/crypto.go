package sim

import (
	"crypto/aes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/crypto/xts"
)

func init() {
	register(
		writes("accel_crypto_key_create", (*process).createKey).refusing(errParseDecode),
		writes("accel_crypto_key_destroy", (*process).destroyKey).refusing(errParseDecode),
		reads("accel_crypto_keys_get", (*process).getAccelKeys).refusing(errParseDecode),
		writes("bdev_crypto_create", (*process).createCrypto),
		writes("bdev_crypto_delete", (*process).deleteCrypto),
	)
}

// accelKey is a key for crypto bdevs, which a target keeps in memory.
type accelKey struct {
	name, cipher, key, key2 string
	xts                     *xts.Cipher
}

func (p *process) createKey(q *struct {
	Cipher string `json:"cipher"`
	Key    string `json:"key"`
	Key2   string `json:"key2"`
	Tweak  string `json:"tweak_mode"`
	Name   string `json:"name"`
}) (any, error) {
	refused := func(rc int) (any, error) {
		return nil, &Error{codeInvalidParams, fmt.Sprintf("failed to create DEK, rc -%d", rc)}
	}
	if q.Cipher != "AES_XTS" && q.Cipher != "AES_CBC" {
		return nil, errParseDecode
	}
	key, err := hex.DecodeString(q.Key)
	key2, err2 := hex.DecodeString(q.Key2)
	switch {
	case p.keyNamed(q.Name) != nil:
		return refused(int(eexist))
	case q.Cipher != "AES_XTS", err != nil, err2 != nil: // no software does AES_CBC
		return refused(int(einval))
	case len(key) != len(key2), len(key) != 16 && len(key) != 32, q.Key == q.Key2:
		return refused(int(einval))
	}
	c, err := xts.NewCipher(aes.NewCipher, append(key, key2...))
	if err != nil {
		return refused(int(einval))
	}
	p.keys = append(p.keys, &accelKey{name: q.Name, cipher: q.Cipher, key: q.Key, key2: q.Key2, xts: c})
	return true, nil
}

func (p *process) keyNamed(name string) *accelKey {
	for _, k := range p.keys {
		if k.name == name {
			return k
		}
	}
	return nil
}

// destroyKey destroys a key whoever uses it: what is read with it fails from then on.
func (p *process) destroyKey(q *struct {
	Name string `json:"key_name"`
}) (any, error) {
	k := p.keyNamed(q.Name)
	if k == nil {
		return nil, &Error{codeInvalidParams, "No key object found"}
	}
	k.xts = nil
	p.keys = slices.DeleteFunc(p.keys, func(x *accelKey) bool { return x == k })
	return true, nil
}

// getAccelKeys lists keys, and what they are.
func (p *process) getAccelKeys(q *struct {
	Name string `json:"key_name"`
}) (any, error) {
	type listed struct {
		Name   string `json:"name"`
		Cipher string `json:"cipher"`
		Key    string `json:"key"`
		Key2   string `json:"key2"`
		Tweak  string `json:"tweak_mode"`
	}
	all := []listed{}
	for _, k := range p.keys {
		if q.Name == "" || q.Name == k.name {
			all = append(all, listed{k.name, k.cipher, k.key, k.key2, "SIMPLE_LBA"})
		}
	}
	if q.Name != "" && len(all) == 0 {
		return nil, &Error{codeInvalidParams, "key was not found"}
	}
	return all, nil
}

// crypto is a bdev that encrypts what is written to another. Its name stays when that
// goes, and it is there again when another of that name comes.
type crypto struct {
	p          *process
	name, base string // base as it was given
	key        *accelKey
	under      *bdev // nil: it is not there
	bdev       *bdev
}

func (p *process) createCrypto(q *struct {
	Base    string `json:"base_bdev_name"`
	Name    string `json:"name"`
	KeyName string `json:"key_name"`
	Driver  string `json:"crypto_pmd"`
	Key     string `json:"key"`
	Cipher  string `json:"cipher"`
	Key2    string `json:"key2"`
}) (any, error) {
	if q.KeyName == "" {
		return nil, &Error{codeInternal, "No key was found"}
	}
	c := &crypto{p: p, name: q.Name, base: q.Base, key: p.keyNamed(q.KeyName)}
	switch {
	case c.key == nil:
		return nil, &Error{codeInvalidParams, "Key was not found"}
	case p.cryptoNamed(q.Name) != nil:
		return nil, errno(eexist)
	}
	p.cryptos = append(p.cryptos, c)
	if err := c.appear(p.bdevs.find(q.Base)); err != nil && err != enodev {
		p.cryptos = slices.DeleteFunc(p.cryptos, func(x *crypto) bool { return x == c })
		return nil, errno(numberOf(err))
	}
	return q.Name, nil
}

func (p *process) cryptoNamed(name string) *crypto {
	for _, c := range p.cryptos {
		if c.name == name {
			return c
		}
	}
	return nil
}

// cryptoSpace is the name space of the UUIDs of crypto bdevs, which follow from those of
// what is under them.
var cryptoSpace = uuid.MustParse("078e3cf7-f4b4-4545-b2c3-d40045a64ae2")

// appear registers the bdev on what is under it.
func (c *crypto) appear(b *bdev) error {
	if b == nil {
		return enodev
	}
	if err := b.open(c, true, claimExclusive); err != nil {
		return err
	}
	under := uuid.MustParse(b.uuid)
	is := uuid.NewHash(sha1.New(), cryptoSpace, under[:], 5)
	x := &bdev{name: c.name, uuid: is.String(), product: "crypto", blockSize: b.blockSize, numBlocks: b.numBlocks, dev: c}
	c.under = b
	if err := c.p.register(x); err != nil {
		c.under = nil
		b.close(c)
		return err
	}
	c.bdev = x
	return nil
}

// examineCryptos has a bdev that has appeared found by what waits for it by that name: its
// own, or its UUID, and no alias.
func (p *process) examineCryptos(b *bdev) {
	for _, c := range slices.Clone(p.cryptos) {
		if c.under == nil && (c.base == b.name || c.base == b.uuid) {
			_ = c.appear(b)
		}
	}
}

func (p *process) deleteCrypto(q *named) (any, error) {
	c := p.cryptoNamed(q.Name)
	if c == nil || c.bdev == nil {
		return nil, errno(enodev)
	}
	p.cryptos = slices.DeleteFunc(p.cryptos, func(x *crypto) bool { return x == c })
	gone := false
	c.vanish(func() { gone = true })
	if gone {
		return true, nil
	}
	return nil, &later{ready: func() bool { return gone }, done: func(bool) (any, error) { return true, nil }}
}

// vanish takes the bdev away, and lets go of what is under it then.
func (c *crypto) vanish(then func()) {
	x := c.bdev
	c.bdev = nil
	c.p.unregister(x, func() {
		if b := c.under; b != nil {
			c.under = nil
			b.close(c)
		}
		then()
	})
}

func (c *crypto) gone(*bdev) bool {
	if c.bdev != nil {
		c.vanish(func() {})
	}
	return false // it has let go, or does so when its own users have
}

func (c *crypto) resized(b *bdev) {
	if c.bdev != nil {
		c.bdev.resize(b.numBlocks)
	}
}

// Blocks are encrypted by their numbers.
func (c *crypto) each(p []byte, off int64, do func(block []byte, number uint64)) {
	size := int64(c.under.blockSize)
	for at := int64(0); at < int64(len(p)); at += size {
		do(p[at:at+size], uint64((off+at)/size))
	}
}

// whole widens I/O to blocks.
func (c *crypto) whole(p []byte, off int64) (from int64, n int) {
	size := int64(c.under.blockSize)
	from = off / size * size
	return from, int((off + int64(len(p)) - from + size - 1) / size * size)
}

func (c *crypto) read(o *op, p []byte, off int64) error {
	if c.under == nil || c.key.xts == nil {
		return eio
	}
	from, n := c.whole(p, off)
	blocks := make([]byte, n)
	if err := c.under.read(o, blocks, from); err != nil {
		return err
	}
	c.each(blocks, from, func(b []byte, number uint64) { c.key.xts.Decrypt(b, b, number) })
	copy(p, blocks[off-from:])
	return nil
}

func (c *crypto) write(o *op, p []byte, off int64) error {
	if c.under == nil || c.key.xts == nil {
		return eio
	}
	from, n := c.whole(p, off)
	blocks := make([]byte, n)
	if from != off || n != len(p) {
		if err := c.read(o, blocks, from); err != nil {
			return err
		}
	}
	copy(blocks[off-from:], p)
	c.each(blocks, from, func(b []byte, number uint64) { c.key.xts.Encrypt(b, b, number) })
	return c.under.write(o, blocks, from)
}

func (c *crypto) discard(o *op, off, n int64) error {
	if c.under == nil {
		return eio
	}
	return c.under.discard(o, off, n)
}

func (c *crypto) ioTypes() ioType {
	return c.under.types & (ioRead | ioWrite | ioUnmap | ioFlush | ioReset | ioWriteZeroes)
}

func (c *crypto) describe(b []byte) []byte {
	b = append(key(b, "crypto"), '{')
	b = text(b, "base_bdev_name", c.under.name)
	b = text(b, "name", c.name)
	return append(text(b, "key_name", c.key.name), '}')
}
