package plan

import (
	"cmp"
	"fmt"
	"strings"

	"strata/lineage"
)

// Key says what a section works on, and identifies it within its pass. Its text,
// "volume db", is what people and programs read.
type Key struct {
	Kind Kind
	Name string
}

// NodeKey is the key of the section of a node: its disks, lvstores and options.
func NodeKey(n lineage.Node) Key { return Key{KindNode, string(n)} }

// LinkKey is the key of the section of a link.
func LinkKey(l lineage.Link) Key {
	return Key{KindLink, l.String()}
}

// VolumeKey is the key of the section of a volume, whichever incarnation of it is
// in use.
func VolumeKey(name string) Key { return Key{KindVolume, name} }

// IncarnationKey is the key of the section of an incarnation that is not in use.
func IncarnationKey(id lineage.Volume) Key { return Key{KindVolume, id.String()} }

// GroupKey is the key of the section of a group of volumes.
func GroupKey(name string) Key { return Key{KindGroup, name} }

// BackupKey is the key of the section in which layers of a volume go into an archive.
func BackupKey(volume string) Key { return Key{KindBackup, volume} }

// ArchiveKey is the key of the section in which records of an archive go.
func ArchiveKey(archive string) Key { return Key{KindArchive, archive} }

// AlternatesKey is the key of the section in which a link gets, and loses, further addresses of
// its peer.
func AlternatesKey(l lineage.Link) Key { return Key{KindAlternates, l.String()} }

// DiscoveryKey is the key of the section in which a node is made known to hosts that look for
// volumes.
func DiscoveryKey(n lineage.Node) Key { return Key{KindDiscovery, string(n)} }

// Volume is the volume that the section is of, with the ID of an incarnation that
// is not in use and else without. It reports false for a section of another kind.
func (k Key) Volume() (lineage.Volume, bool) {
	if k.Kind != KindVolume {
		return lineage.Volume{}, false
	}
	return lineage.SplitVolume(k.Name), true
}

// String is "" for the key of no section.
func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	return string(k.Kind) + " " + k.Name
}

// Compare orders keys as their texts.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Name, o.Name))
}

// MarshalText writes the key as String does.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String gives. It fails if there is no such kind, or
// nothing follows it.
func (k *Key) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), " ")
	switch *k = (Key{Kind(kind), name}); k.Kind {
	case KindNode, KindLink, KindVolume, KindGroup, KindBackup, KindArchive, KindAlternates, KindDiscovery:
		if name != "" {
			return nil
		}
	}
	return fmt.Errorf("%q is not a section", text)
}
