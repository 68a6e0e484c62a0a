package state

import "strata/lineage"

// AddKey notes that the node's keyring has a key, by name and path.
func (n *Node) AddKey(name, path string) {
	if n.Keyring == nil {
		n.Keyring = map[string]string{}
	}
	n.Keyring[name] = path
}

// RemoveKey notes that it has it no more.
func (n *Node) RemoveKey(name string) {
	if delete(n.Keyring, name); len(n.Keyring) == 0 {
		n.Keyring = nil
	}
}

// SetKeys notes which keys a host has to use.
func (s *Subsystem) SetKeys(host lineage.NQN, keys lineage.HostKeys) {
	if keys.IsZero() {
		if delete(s.Keys, host); len(s.Keys) == 0 {
			s.Keys = nil
		}
		return
	}
	if s.Keys == nil {
		s.Keys = map[lineage.NQN]lineage.HostKeys{}
	}
	s.Keys[host] = keys
}
