package spdk

import "context"

// KeyCreate gives a target a key for crypto bdevs (accel_crypto_key_create), which it keeps
// in memory and shows to whoever asks.
type KeyCreate struct {
	Cipher string `json:"cipher"` // AESXTS
	Key    string `json:"key"`    // hex, 16 or 32 bytes
	Key2   string `json:"key2"`   // the same length, another
	Name   string `json:"name"`
}

// AESXTS is the cipher that targets have software for.
const AESXTS = "AES_XTS"

func (KeyCreate) Method() string   { return "accel_crypto_key_create" }
func (p KeyCreate) Object() string { return p.Name }

// KeyCreate gives a target a key; Invalid where the name is taken, too
// (accel_crypto_key_create).
func (c *Client) KeyCreate(ctx context.Context, p KeyCreate) error {
	return c.do(ctx, NewReq(p, nil))
}

// KeyDestroy names the key to destroy (accel_crypto_key_destroy).
type KeyDestroy struct {
	Name string `json:"key_name"`
}

func (KeyDestroy) Method() string   { return "accel_crypto_key_destroy" }
func (p KeyDestroy) Object() string { return p.Name }

// KeyDestroy destroys a key; Invalid where there is none (accel_crypto_key_destroy). One in
// use is destroyed, too: what is read through its bdevs fails from then on.
func (c *Client) KeyDestroy(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(KeyDestroy{name}, nil))
}

// CryptoCreate encrypts what is written to a bdev (bdev_crypto_create).
type CryptoCreate struct {
	Base    string `json:"base_bdev_name"` // name or UUID; by an alias it is not found again
	Name    string `json:"name"`
	KeyName string `json:"key_name"`
}

func (CryptoCreate) Method() string   { return "bdev_crypto_create" }
func (p CryptoCreate) Object() string { return p.Name }

// CryptoCreate makes a bdev that encrypts (bdev_crypto_create). It answers its name, too,
// where there is no such base; then nothing is there, and the name is taken.
func (c *Client) CryptoCreate(ctx context.Context, p CryptoCreate) error {
	return c.do(ctx, NewReq(p, nil))
}

// CryptoDelete names the crypto bdev to delete (bdev_crypto_delete).
type CryptoDelete struct {
	Name string `json:"name"`
}

func (CryptoDelete) Method() string   { return "bdev_crypto_delete" }
func (p CryptoDelete) Object() string { return p.Name }

// CryptoDelete deletes a crypto bdev; what is below keeps its data (bdev_crypto_delete).
func (c *Client) CryptoDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(CryptoDelete{name}, nil))
}

// CryptoInfo describes a bdev that encrypts.
type CryptoInfo struct {
	Base    string `json:"base_bdev_name"` // as it was given
	KeyName string `json:"key_name"`
}
