package spdk

import (
	"context"
	"time"
)

// KeyAdd names a file of the target's machine that has a key (keyring_file_add_key). It
// is read whenever somebody authenticates. Nobody but the target's own user may read it.
type KeyAdd struct {
	Name string `json:"name"` // without ":"
	Path string `json:"path"` // absolute
}

func (KeyAdd) Method() string   { return "keyring_file_add_key" }
func (p KeyAdd) Object() string { return p.Name }

// KeyAdd adds a key to the keyring; Exists where there is one of that name, NotFound where
// the file is not there, NotPermitted where others may read it (keyring_file_add_key).
func (c *Client) KeyAdd(ctx context.Context, p KeyAdd) error { return c.do(ctx, NewReq(p, nil)) }

// KeyRemove names the key that goes (keyring_file_remove_key).
type KeyRemove struct {
	Name string `json:"name"`
}

func (KeyRemove) Method() string   { return "keyring_file_remove_key" }
func (p KeyRemove) Object() string { return p.Name }

// KeyRemove takes a key out of the keyring. Who uses it goes on doing so
// (keyring_file_remove_key).
func (c *Client) KeyRemove(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(KeyRemove{name}, nil))
}

// Key is one entry of keyring_get_keys: never the key itself.
type Key struct {
	Name    string `json:"name"`
	Removed bool   `json:"removed"` // from the keyring, and in use
	Path    string `json:"path"`    // of a file; "" for others
}

func (k *Key) lacks() string { return lacking(part{"name", named(k.Name)}) }

// GetKeys reads every key's name (keyring_get_keys).
func GetKeys(out *[]Key) *Req { return listing(&Req{Method: "keyring_get_keys"}, out) }

// HostKeysSet gives a host that is listed other keys, by name (nvmf_subsystem_set_keys).
// Its connections stay. Without any it need not authenticate.
type HostKeysSet struct {
	NQN     string `json:"nqn"`
	Host    string `json:"host"`
	Key     string `json:"dhchap_key,omitzero"`
	CtrlKey string `json:"dhchap_ctrlr_key,omitzero"`
}

func (HostKeysSet) Method() string   { return "nvmf_subsystem_set_keys" }
func (p HostKeysSet) Object() string { return p.NQN }

// ControllerKeysSet has a controller prove itself with other keys, by name, at once and from
// then on (bdev_nvme_set_keys). Without any it proves nothing from then on. Of keys that were set
// so the target reads the names on every connection: they have to stay in the keyring.
type ControllerKeysSet struct {
	Name    string `json:"name"`
	Key     string `json:"dhchap_key,omitzero"`
	CtrlKey string `json:"dhchap_ctrlr_key,omitzero"`
}

func (ControllerKeysSet) Method() string   { return "bdev_nvme_set_keys" }
func (p ControllerKeysSet) Object() string { return p.Name }

// Timeout allows for a peer that does not answer.
func (ControllerKeysSet) Timeout() time.Duration { return connectTimeout }

// SetControllerKeys gives a controller other keys (bdev_nvme_set_keys).
func (c *Client) SetControllerKeys(ctx context.Context, p ControllerKeysSet) error {
	return c.do(ctx, NewReq(p, nil))
}

// SetHostKeys gives a host other keys (nvmf_subsystem_set_keys).
func (c *Client) SetHostKeys(ctx context.Context, p HostKeysSet) error {
	return c.do(ctx, NewReq(p, nil))
}
