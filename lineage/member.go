package lineage

import "strings"

// Member is a pool that the storage itself knows of: strata leaves an empty lvol
// of this name in pools of other nodes. So a pool that no configuration names any
// more, or whose disk is not found, is missed, and not taken for one that never was.
type Member struct {
	Node  Node
	Pool  string
	Store string // the first eight digits of its lvstore's UUID, which stays when names change
}

// Trial is the name of an lvol that is made and deleted to find out whether a disk discards
// what is freed there.
const Trial LvolName = "~trial"

// memberDigits is how much of an lvstore's UUID tells it from others.
const memberDigits = 8

// PendingUUID stands for the UUID of an lvstore that a plan makes.
const PendingUUID UUID = "????????"

// MemberOf names the pool of a node by its lvstore's UUID.
func MemberOf(n Node, pool string, store UUID) Member {
	return Member{n, pool, string(store[:min(memberDigits, len(store))])}
}

// Is reports whether that is the lvstore that the member had.
func (m Member) Is(store UUID) bool {
	return len(store) >= memberDigits && string(store[:memberDigits]) == m.Store
}

// Lvol formats the name of what reminds of the member.
func (m Member) Lvol() LvolName { return LvolName("~" + string(m.Node) + "." + m.Pool + "." + m.Store) }

// ParseMember is the inverse of Lvol.
func ParseMember(name LvolName) (Member, bool) {
	rest, ok := strings.CutPrefix(string(name), "~")
	if !ok {
		return Member{}, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) != 3 || !ValidName(parts[0]) || !ValidName(parts[1]) || len(parts[2]) != memberDigits {
		return Member{}, false
	}
	if UUID(parts[2]) != PendingUUID && strings.Trim(parts[2], "0123456789abcdef") != "" {
		return Member{}, false
	}
	return Member{Node(parts[0]), parts[1], parts[2]}, true
}
