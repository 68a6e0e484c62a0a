package schema

import (
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// Encryption is how a volume is encrypted: everything below its engine, on disks, links and
// in archives, has what cannot be read without the key.
type Encryption struct {
	Key Secret // where its key is found: 64 or 128 hexadecimal digits; zero with None
	// None has it encrypted no more; then there is a Former.
	None   bool       `json:",omitempty"`
	Former *FormerKey `json:",omitempty"` // with which it was written; nil: it has the one key
	Pos    Pos
}

// FormerKey is what a volume is encrypted with that is to get another key, or none. Replicas
// that their names say to be written so are written anew.
type FormerKey struct {
	Check lineage.Check // that their names have; "": they are not encrypted
	Key   Secret        // zero where Check is ""
	Pos   Pos
}

// Encrypted reports whether it is to be encrypted.
func (v *Volume) Encrypted() bool { return v.Encryption != nil && !v.Encryption.None }

// KeyOf is where the key of a check is found; false where no key is configured that may have it.
func (v *Volume) KeyOf(check lineage.Check) (Secret, bool) {
	e := v.Encryption
	switch {
	case e == nil || check == "":
		return Secret{}, false
	case e.Former != nil && e.Former.Check == check:
		return e.Former.Key, true
	}
	return e.Key, !e.None
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
	k, f := o.required("key", `{file: "/etc/strata/db.key"}`), o.field("former")
	switch {
	case k == nil:
	case !k.isNone():
		e.Key = k.secret()
	case f == nil:
		k.wrong("leave encryption out of a volume that never was encrypted", "needs former, with the key that the volume has")
	default:
		e.None = true
	}
	if f != nil {
		e.Former = f.formerKey(e.None)
	}
	return e
}

// isNone reports whether it is what stands for a key where there is none.
func (s *spot) isNone() bool {
	t, err := s.value.String()
	return err == nil && t == "none"
}

// formerKey reads what a volume is encrypted with that is to be so no more.
func (s *spot) formerKey(open bool) *FormerKey {
	f := &FormerKey{Pos: s.pos()}
	if s.isNone() {
		if open {
			s.wrong("leave encryption out", "is none, and key is: the volume is not encrypted, and is not to be")
		}
		return f
	}
	o, ok := s.object(`"none", or a struct such as {check: "gtd2", key: file: "/etc/strata/db.key"}`)
	if !ok {
		return f
	}
	o.only(formerFields)
	if c := o.required("check", `"gtd2", as strata status prints it`); c != nil {
		t, ok := c.matching(`four letters or digits, as strata status prints it, such as "gtd2"`, func(t string) bool { return lineage.ValidID(lineage.ID(t)) })
		if ok {
			f.Check = lineage.Check(t)
		}
	}
	if k := o.required("key", `{file: "/etc/strata/db.key"}`); k != nil {
		f.Key = k.secret()
	}
	return f
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
			"has its key sent to the engine's node, and what is sent to %s can be overheard", amount.List(open))
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
	case v.Encrypted() && !source.Encrypted():
		o.field("encryption").wrong("leave it out, or copy into a new volume", "is of no use: volume %s, from which it is cloned, is not encrypted", source.Name)
	case !v.Encrypted() && source.Encrypted():
		o.field("from").wrong("write encryption with the same key", "is encrypted volume %s, and the clone has no encryption: its hosts would be shown what cannot be read", source.Name)
	}
}

// holdsKey reports whether the field at that path is the key of a volume, or was taken for
// one by whoever wrote it.
func holdsKey(names []string) bool { return slices.Contains(names, "encryption") }
