package apply

import (
	"sync"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// lvstores knows what targets call the lvstores that plans name by their pools.
type lvstores struct {
	mu     sync.Mutex
	called map[lineage.Node]map[string]string
}

func newLvstores() *lvstores { return &lvstores{called: map[lineage.Node]map[string]string{}} }

// learn takes the names from what was read. A node that was not keeps those it
// had: sections that copy go on while nodes are looked at, and find lvols by them.
func (s *lvstores) learn(cfg *schema.Config, snap *state.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, n := range snap.Nodes {
		if n.Unknown != "" {
			continue
		}
		at := map[string]string{}
		for called, lvstore := range cfg.Lvstores(name, n.Paths()) {
			at[lvstore] = called
		}
		s.called[name] = at
	}
}

// name is what node n calls an lvstore.
func (s *lvstores) name(n lineage.Node, lvstore string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if called, ok := s.called[n][lvstore]; ok {
		return called
	}
	return lvstore
}

// set notes what an lvstore is called that was made or renamed.
func (s *lvstores) set(n lineage.Node, lvstore, called string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.called[n] == nil {
		s.called[n] = map[string]string{}
	}
	s.called[n][lvstore] = called
}

// alias is the name under which RPCs of node n find an lvol.
func (c *caller) alias(n lineage.Node, lvstore string, name lineage.LvolName) string {
	return c.lvstores.name(n, lvstore) + "/" + string(name)
}
