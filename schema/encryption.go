package schema

import (
	"slices"
	"strings"
)

// Encryption is how a volume is encrypted: everything below its engine, on disks, links and
// in archives, has what cannot be read without the key.
type Encryption struct {
	Key Secret // where its key is found: 64 or 128 hexadecimal digits
	Pos Pos
}

// KeyHost is what those know the key of a volume by who allow secrets to be used.
func (v *Volume) KeyHost() string { return "volume://" + v.Name }

// Private reports whether nobody hears what is sent to the node's target.
func (n *Node) Private() bool {
	scheme, _, _ := strings.Cut(n.RPC, "://")
	return scheme == "unix" || scheme == "ssh" || scheme == "https"
}

// encryption reads how a volume is encrypted; nil if it is not.
func (s *spot) encryption() *Encryption {
	if s == nil {
		return nil
	}
	e := &Encryption{Pos: s.pos()}
	o, ok := s.object(`a struct such as {key: file: "/etc/strata/db.key"}`)
	if !ok {
		return e
	}
	o.only(encryptionFields)
	if k := o.required("key", `{file: "/etc/strata/db.key"}`); k != nil {
		e.Key = k.secret()
	}
	return e
}

// encrypted checks an encrypted volume: a target is told its key, and those are told of keys
// alone whom nobody overhears.
func (r *relations) encrypted(v *Volume, o object) {
	if v.Encryption == nil {
		return
	}
	at := o.field("encryption")
	switch {
	case v.Adopt != nil:
		at.wrong("make another volume, and copy what is in it", "is of no use with adopt: what an lvol of somebody else's has is not encrypted with this key")
		return
	case v.Image != nil:
		at.wrong("leave one of them out; have a host copy the image into a volume that is encrypted", "does not go together with from: an image, which would be shown as if it were encrypted")
		return
	case v.Restore != nil && v.Restore.Follow:
		at.wrong("leave follow out", "does not go together with follow yet")
		return
	case r.broken:
		return
	}
	var open []string
	for _, n := range r.served(v) {
		if !n.Private() {
			open = append(open, string(n.Name))
		}
	}
	if len(open) > 0 {
		at.wrong("reach them by unix://, ssh:// or https://, or set engine to a node that is",
			"has its key sent to the engine's node, and what is sent to %s can be overheard", enumerate(open))
	}
}

// served are the nodes that a volume may have its engine on while nothing is wrong: where
// it is set, that one alone, unless others take over by themselves.
func (r *relations) served(v *Volume) []*Node {
	if n := r.nodes[v.Engine]; n != nil && v.Export.Standby == 0 && !v.Failover {
		return []*Node{n}
	}
	return r.seats(v)
}

// alike checks that a clone is encrypted as its source is: it stands on what that wrote.
func (r *relations) alike(v, source *Volume, o object) {
	switch {
	case v.Encryption != nil && source.Encryption == nil:
		o.field("encryption").wrong("leave it out, or copy into a new volume", "is of no use: volume %s, from which it is cloned, is not encrypted", source.Name)
	case v.Encryption == nil && source.Encryption != nil:
		o.field("from").wrong("write encryption with the same key", "is encrypted volume %s, and the clone has no encryption: its hosts would be shown what cannot be read", source.Name)
	}
}

// holdsKey reports whether the field at that path is the key of a volume, or was taken for
// one by whoever wrote it.
func holdsKey(names []string) bool { return slices.Contains(names, "encryption") }
