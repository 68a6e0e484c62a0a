package state

import (
	"context"

	"strata/lineage"
	"strata/spdk"
)

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

// AddKeyFile notes that the node's machine has a file with a key, which strata has put there.
func (n *Node) AddKeyFile(name string) {
	if n.KeyFiles == nil {
		n.KeyFiles = map[string]bool{}
	}
	n.KeyFiles[name] = true
}

// RemoveKeyFile notes that it has it no more.
func (n *Node) RemoveKeyFile(name string) {
	if delete(n.KeyFiles, name); len(n.KeyFiles) == 0 {
		n.KeyFiles = nil
	}
}

// listed is what there is of such files on a target's machine.
type listed struct {
	names []string
	err   error
}

// listKeyFiles asks for them, beside what the target is asked for. Where they are not known the
// node is known all the same.
func listKeyFiles(ctx context.Context, t *spdk.Client) func() listed {
	f := t.KeyFiles()
	if f == nil {
		return func() listed { return listed{} }
	}
	done := make(chan listed, 1)
	go func() {
		names, err := f.List(ctx)
		done <- listed{names, err}
	}()
	return func() listed { return <-done }
}

// keyFiles notes those of the cluster's.
func (n *Node) keyFiles(c lineage.Cluster, l listed) {
	if l.err != nil {
		n.KeyFilesUnread = l.err.Error()
		return
	}
	for _, name := range l.names {
		_, host := c.ParseKey(name)
		_, job := c.ParseJobKey(name)
		_, _, link := c.ParseLinkKey(name)
		if host || job || link {
			n.AddKeyFile(name)
		}
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
