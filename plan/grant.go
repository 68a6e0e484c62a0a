package plan

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
)

// Grants are what the operator has released for destruction; nil is nothing. Who
// releases one thing has said nothing of another.
type Grants map[Grant]bool

// Volume reports whether a volume may go that is not configured, with all of its
// incarnations.
func (g Grants) Volume(name string) bool { return g[VolumeGrant(name)] }

// Incarnation reports whether one incarnation of a volume may go.
func (g Grants) Incarnation(id lineage.Volume) bool { return g[IncarnationGrant(id)] }

// Replica reports whether the replica of a volume on a node may go.
func (g Grants) Replica(volume string, n lineage.Node) bool { return g[ReplicaGrant(volume, n)] }

// Layer reports whether a user's snapshot of a volume may go.
func (g Grants) Layer(volume, snapshot string) bool { return g[LayerGrant(volume, snapshot)] }

// Head reports whether what was written to a volume may go since the layer that it
// is to be reverted to.
func (g Grants) Head(volume string) bool { return g[HeadGrant(volume)] }

// Disk reports whether the disk of a pool may be formatted although it may hold
// something.
func (g Grants) Disk(n lineage.Node, pool string) bool { return g[DiskGrant(n, pool)] }

// All are the grants, sorted by their texts.
func (g Grants) All() []Grant {
	var all []Grant
	for grant, given := range g {
		if given {
			all = append(all, grant)
		}
	}
	slices.SortFunc(all, func(a, b Grant) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// Grant is a name that the operator releases for destruction, in its parts.
type Grant struct {
	Volume string       // "" for a pool
	ID     lineage.ID   // of the incarnation; "" for all
	Node   lineage.Node // of a replica, of the copy of a layer, or of the pool; "" for none
	Pool   string       // whose disk may be formatted although it may hold something; "" for none
	Layer  string       // or "head"; "" for none
}

// VolumeGrant releases a volume: "db".
func VolumeGrant(name string) Grant { return Grant{Volume: name} }

// IncarnationGrant releases one incarnation of a volume: "db.k3f7".
func IncarnationGrant(id lineage.Volume) Grant { return Grant{Volume: id.Name, ID: id.ID} }

// ReplicaGrant releases the replica of a volume on a node: "db:n2".
func ReplicaGrant(volume string, n lineage.Node) Grant { return Grant{Volume: volume, Node: n} }

// LayerGrant releases a user's snapshot of a volume: "db@base".
func LayerGrant(volume, snapshot string) Grant { return Grant{Volume: volume, Layer: snapshot} }

// CopyGrant releases the copy of a user's snapshot on one node, which differs from others and is
// to be made anew by one of those: "db@base:n2".
func CopyGrant(volume, snapshot string, n lineage.Node) Grant {
	return Grant{Volume: volume, Layer: snapshot, Node: n}
}

// HeadGrant releases what was written to a volume since the layer that it is to be
// reverted to: "db@head".
func HeadGrant(volume string) Grant { return LayerGrant(volume, head) }

// head stands for no snapshot: none can be called so.
const head = "head"

// DiskGrant releases the disk of a pool: "n2/fast".
func DiskGrant(n lineage.Node, pool string) Grant { return Grant{Node: n, Pool: pool} }

// OfHead reports whether it is a HeadGrant.
func (g Grant) OfHead() bool { return g.Layer == head }

// String is the name, as ParseGrant reads it.
func (g Grant) String() string {
	text := g.Volume
	if g.ID != "" {
		text += "." + string(g.ID)
	}
	switch {
	case g.Pool != "":
		text = string(g.Node) + "/" + g.Pool
	case g.Layer != "":
		text += "@" + g.Layer
	}
	if g.Pool == "" && g.Node != "" {
		text += ":" + string(g.Node)
	}
	return text
}

// Flag is how the operator says it.
func (g Grant) Flag() string { return "--allow-destroy " + g.String() }

// MarshalText writes the grant as String does.
func (g Grant) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads what String gives.
func (g *Grant) UnmarshalText(text []byte) (err error) {
	if parsed, ok := ParseGrant(string(text)); ok {
		*g = parsed
	} else {
		err = fmt.Errorf("nothing is released by %q", text)
	}
	return err
}

// ParseGrant takes a name apart, and reports whether it is one.
func ParseGrant(name string) (g Grant, ok bool) {
	if node, pool, ofPool := strings.Cut(name, "/"); ofPool {
		return Grant{Node: lineage.Node(node), Pool: pool}, lineage.ValidName(node) && lineage.ValidName(pool)
	}
	rest, node, ofNode := strings.Cut(name, ":")
	rest, layer, ofLayer := strings.Cut(rest, "@")
	id := lineage.SplitVolume(rest)
	ofID := id.Name != rest
	g = Grant{Volume: id.Name, ID: id.ID, Node: lineage.Node(node), Layer: layer}
	parts := 0
	for _, part := range []struct{ given, valid bool }{
		{ofLayer, lineage.ValidName(layer)}, {ofNode, lineage.ValidName(node)}, {ofID, lineage.ValidID(g.ID)},
	} {
		if part.given && !part.valid {
			return g, false
		}
		if part.given {
			parts++
		}
	}
	ofCopy := ofLayer && ofNode && layer != head && parts == 2
	return g, (parts <= 1 || ofCopy) && lineage.ValidVolume(id.Name)
}
