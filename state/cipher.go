package state

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// Cipher is a bdev that encrypts what is written to another.
type Cipher struct {
	Base string // a RAID by name, or the UUID of a leg
	Key  string // as the target calls it
}

// Ciphered is a Cipher and the node it is on.
type Ciphered struct {
	Node lineage.Node
	Name string
	Cipher
}

// Keyed is a node that may have the key of a volume.
type Keyed struct {
	Node  lineage.Node
	Check lineage.Check // of that key
}

// SetCipher puts a bdev that encrypts on the node.
func (n *Node) SetCipher(name string, is Cipher) {
	if n.Ciphers == nil {
		n.Ciphers = map[string]Cipher{}
	}
	n.Ciphers[name] = is
}

// SetKey takes note that the node may have the key of a volume.
func (n *Node) SetKey(v lineage.Volume, check lineage.Check) {
	if n.Keyed == nil {
		n.Keyed = map[lineage.Volume]lineage.Check{}
	}
	n.Keyed[v] = check
}

// Deciphered is the bdev that a cipher encrypts what is written to; of any other bdev that itself.
func (n *Node) Deciphered(bdev string) string {
	if c, is := n.Ciphers[bdev]; is {
		return c.Base
	}
	return bdev
}

// readCipher takes note of a bdev that encrypts a volume, and reports whether it is one.
func (n *Node) readCipher(c lineage.Cluster, b *spdk.Bdev) bool {
	if _, ours := c.ParseCipher(b.Name); !ours || b.Driver.Crypto == nil {
		return false
	}
	n.SetCipher(b.Name, Cipher{Base: b.Driver.Crypto.Base, Key: b.Driver.Crypto.KeyName})
	n.readLimits(b)
	return true
}

func (n *Node) cloneCiphers(from *Node) {
	n.Ciphers, n.Keyed = maps.Clone(from.Ciphers), maps.Clone(from.Keyed)
}

// seeThrough has the legs of mirrors that are written to through ciphers of their own be the
// lvols below. A mirror in which a place is still held for a leg to come is not one to use: it
// was being made.
func (n *Node) seeThrough() {
	for name, r := range n.Raids {
		for i, l := range r.Legs {
			if c, is := n.Ciphers[l.Base]; is && l.Configured {
				r.Legs[i].UUID = n.Backing(c.Base)
			}
			if l.Base == lineage.Room(name) && l.Configured {
				r.State = Unfinished
			}
		}
	}
}

// Unfinished is the state of a mirror that was being made.
const Unfinished = "unfinished"

// Beneath reports whether a mirror of the node has any of its legs through a cipher of its own.
func (n *Node) Beneath(r *Raid) bool {
	return r != nil && slices.ContainsFunc(r.Legs, func(l Leg) bool { _, is := n.Ciphers[l.Base]; return is && l.Configured })
}

// legCiphers are those through which mirrors have, or had, single legs of an incarnation.
func (n *Node) legCiphers(c lineage.Cluster, v lineage.Volume) (all []Ciphered) {
	for _, name := range slices.Sorted(maps.Keys(n.Ciphers)) {
		if of, is := c.ParseLegCipher(name); is && of == v {
			all = append(all, Ciphered{n.Name, name, n.Ciphers[name]})
		}
	}
	return all
}

// sawCiphers records what is there of the cluster's ciphers.
func (s *Snapshot) sawCiphers(c lineage.Cluster, n *Node) {
	for name := range n.Ciphers {
		if v, ok := c.ParseCipher(name); ok {
			s.Saw(v, n.Name)
		}
	}
	for v := range n.Keyed {
		s.Saw(v, n.Name)
	}
}

// Check is what any head of an incarnation says of its key: one that has fallen behind may
// not know it yet. It is "" where none says that the volume is encrypted.
func (inc *Incarnation) Check() (found lineage.Check) {
	for _, h := range inc.Heads {
		if c := h.Name.Check; found == "" || found == lineage.Unkeyed && c != "" {
			found = c
		}
	}
	return found
}
