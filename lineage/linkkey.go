package lineage

import (
	"strconv"
	"strings"
)

// LinkKeys tells a pair of keys by which the two ends of a link prove themselves to each other
// (DH-HMAC-CHAP) from all others: that of the node that attaches, and that of the target. strata
// makes them; none tells anything of them.
type LinkKeys struct {
	Link Link
	// Set is as configured: another number, other keys.
	Set int
	// Try is the how manyth pair that is, from 1 on: no name is given to two pairs.
	Try int
}

// LinkKeyRole says what a name of a pair of keys stands for.
type LinkKeyRole string

// The roles.
const (
	LinkHost   LinkKeyRole = ofHost   // the key of the node that attaches
	LinkTarget LinkKeyRole = ofTarget // the key of the target
	// LinkUsed is a further name of the host's key in the keyring of the node that attaches: its
	// controller uses the pair. No target tells which keys a controller uses.
	LinkUsed LinkKeyRole = "used"
)

// LinkKey is what one of the keys is called in keyrings, and the file that it is in; of LinkUsed
// there is no file.
func (c Cluster) LinkKey(k LinkKeys, role LinkKeyRole) string {
	return strings.Join([]string{
		string(c), "link", string(k.Link.From), string(k.Link.To) + k.Link.ending(), strconv.Itoa(k.Set), strconv.Itoa(k.Try), string(role),
	}, ".")
}

// LinkKeyNames are the names of both keys.
func (c Cluster) LinkKeyNames(k LinkKeys) HostKeys {
	return HostKeys{Key: c.LinkKey(k, LinkHost), CtrlKey: c.LinkKey(k, LinkTarget)}
}

// UsedLinkKeys is the pair that a name in a keyring says of that the controller of its link uses it,
// whatever cluster's that is; false for any other name.
func UsedLinkKeys(name string) (LinkKeys, bool) {
	c, _, _ := strings.Cut(name, ".")
	k, role, ok := Cluster(c).ParseLinkKey(name)
	return k, ok && role == LinkUsed
}

// ParseLinkKey is the inverse of LinkKey; false for any other name.
func (c Cluster) ParseLinkKey(name string) (k LinkKeys, role LinkKeyRole, ok bool) {
	rest, ours := strings.CutPrefix(name, string(c)+".link.")
	parts := strings.Split(rest, ".")
	if !ours || len(parts) != 5 {
		return LinkKeys{}, "", false
	}
	k.Link, ok = parseLink(parts[0] + ":" + parts[1])
	k.Set, _ = strconv.Atoi(parts[2])
	k.Try, _ = strconv.Atoi(parts[3])
	role = LinkKeyRole(parts[4])
	if !ok || k.Set < 1 || k.Try < 1 || role != LinkHost && role != LinkTarget && role != LinkUsed || c.LinkKey(k, role) != name {
		return LinkKeys{}, "", false
	}
	return k, role, true
}
