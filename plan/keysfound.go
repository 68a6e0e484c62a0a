package plan

import "strata/lineage"

// KeyOf tells a key that strata puts on nodes from the others: that of a host of a volume, and
// what it is for.
type KeyOf struct {
	Volume string // or whole
	Host   lineage.NQN
	Role   lineage.KeyRole
}

// KeyFound is what was found of such a key where strata is to find it: never the key.
type KeyFound struct {
	Check  string // of the key (lineage.SentKey)
	Unread string // why it could not be read; "": it was
}

// KeysFound has all that were looked for.
type KeysFound map[KeyOf]KeyFound

// Of is what was found of one. Nobody has looked for those that are missing.
func (f KeysFound) Of(k KeyOf) KeyFound {
	if found, there := f[k]; there {
		return found
	}
	return KeyFound{Unread: "nobody reads keys here"}
}
