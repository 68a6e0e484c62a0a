package lineage

import "strings"

// Store is the name of an lvstore that strata writes: <cluster>.<pool>.<id>.
// The id is its own, so that a disk put into another node shows there: a target
// loads no lvstore whose name one that is loaded has.
type Store struct {
	Cluster Cluster
	Pool    string
	ID      ID // "" for one that was written before stores had ids
}

// Lvstore formats the store's name.
func (s Store) Lvstore() string {
	name := s.Cluster.Lvstore(s.Pool)
	if s.ID != "" {
		name += "." + string(s.ID)
	}
	return name
}

// ParseStore is the inverse of Lvstore. Anybody may call an lvstore so.
func ParseStore(lvstore string) (Store, bool) {
	parts := strings.Split(lvstore, ".")
	if len(parts) < 2 || len(parts) > 3 || !ValidName(parts[0]) || !ValidName(parts[1]) {
		return Store{}, false
	}
	s := Store{Cluster: Cluster(parts[0]), Pool: parts[1]}
	if len(parts) == 3 {
		if s.ID = ID(parts[2]); !ValidID(s.ID) && s.ID != Pending {
			return Store{}, false
		}
	}
	return s, true
}
