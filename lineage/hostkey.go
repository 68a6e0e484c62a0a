package lineage

import "strings"

// HostKeys are the names of the keys that a host and a target have to prove to one another,
// in the target's keyring; "" for none. They are no keys.
type HostKeys struct {
	Key     string // of the host
	CtrlKey string `json:",omitempty"` // of the target; only with Key
}

// IsZero reports whether the host need not authenticate.
func (k HostKeys) IsZero() bool { return k == HostKeys{} }

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
