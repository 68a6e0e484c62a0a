package lineage

import "strings"

// KeyRole says what a key of a host is for.
type KeyRole string

// The roles of keys of hosts.
const (
	RoleHost   KeyRole = "host"   // the host proves itself to the target by it
	RoleTarget KeyRole = "target" // the target proves itself to the host
	RolePSK    KeyRole = "psk"    // they have it before they speak to one another (TLS)
)

// KeyRoles are all of them.
var KeyRoles = [...]KeyRole{RoleHost, RoleTarget, RolePSK}

// HostKeys are the names of the keys that a host and a target have in common, in the target's
// keyring; "" for none. They are no keys.
type HostKeys struct {
	Key     string // that the host proves to have
	CtrlKey string `json:",omitempty"` // that the target does; only with Key
	PSK     string `json:",omitempty"` // of TLS
}

// IsZero reports whether the host is believed, and needs no TLS.
func (k HostKeys) IsZero() bool { return k == HostKeys{} }

// Of is the one of a role.
func (k HostKeys) Of(role KeyRole) string {
	switch role {
	case RoleTarget:
		return k.CtrlKey
	case RolePSK:
		return k.PSK
	}
	return k.Key
}

// Proofs are those without that of TLS.
func (k HostKeys) Proofs() HostKeys { return HostKeys{Key: k.Key, CtrlKey: k.CtrlKey} }

// Key is what the key in a file is called in keyrings, where hosts of a volume need it. Files
// at other paths are other keys.
func (c Cluster) Key(volume, path string) string { return c.keysOf(volume) + path }

// KeyOf reports whether a key is called as those that hosts of a volume need.
func (c Cluster) KeyOf(volume, name string) bool {
	of, ok := c.ParseKey(name)
	return ok && of == volume
}

// ParseKey finds the volume whose hosts need a key that is called so.
func (c Cluster) ParseKey(name string) (volume string, ok bool) {
	if k, sent := c.ParseSentKey(name); sent {
		return k.Volume, true
	}
	rest, ok := strings.CutPrefix(name, string(c)+".host.")
	volume, path, found := strings.Cut(rest, "./")
	return volume, ok && found && volume != "" && path != ""
}

func (c Cluster) keysOf(volume string) string { return string(c) + ".host." + volume + "." }
