package plan

import (
	"fmt"

	"strata/lineage"
)

// KeySend has a key of a host read from where the configuration
// says that it is, and put on the node by ssh, into a file that is called after it. No target
// is called. It fails if another key is there by now.
type KeySend struct {
	At
	Volume string
	Host   lineage.NQN
	Role   lineage.KeyRole
	Name   string // of the file
	Check  string
}

// Words are whose key goes there.
func (op KeySend) Words() string {
	switch op.Role {
	case lineage.RolePSK:
		return fmt.Sprintf("send the TLS key of %s for %s, for the target alone, as %s", op.Host, op.Volume, op.Name)
	case lineage.RoleTarget:
		return fmt.Sprintf("send the key by which the target of %s proves itself to %s, for that alone, as %s", op.Volume, op.Host, op.Name)
	}
	return fmt.Sprintf("send the key of %s for %s, for the target alone, as %s", op.Host, op.Volume, op.Name)
}

// Facts are that nobody waits for it.
func (op KeySend) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op KeySend) key() key {
	return key{text(op.Volume), text(op.Host), text(op.Role), text(op.Name), text(op.Check)}
}

// KeyErase takes a file away that KeySend has put on the node, and that no target has by name.
type KeyErase struct {
	At
	Name string
}

// Words are which file goes.
func (op KeyErase) Words() string { return fmt.Sprintf("erase key file %s there", op.Name) }

// Facts are that nobody waits for it.
func (op KeyErase) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op KeyErase) key() key     { return key{text(op.Name)} }

// KeyAdd is keyring_file_add_key: the target may use the key in a file of its machine.
type KeyAdd struct {
	At
	Name string // in the keyring
	Path string
}

func (op KeyAdd) Words() string {
	if k, used := lineage.UsedLinkKeys(op.Name); used {
		return fmt.Sprintf("note that its controller uses keys %s", pairWords(k))
	}
	return fmt.Sprintf("use the key in %s", op.Path)
}
func (op KeyAdd) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op KeyAdd) key() key     { return key{text(op.Name), text(op.Path)} }

// KeyRemove is keyring_file_remove_key, of a key that no host needs any more. The file stays.
type KeyRemove struct {
	At
	Name string
	Path string
}

func (op KeyRemove) Words() string {
	if k, used := lineage.UsedLinkKeys(op.Name); used {
		return fmt.Sprintf("do not note any more that its controller uses keys %s", pairWords(k))
	}
	return fmt.Sprintf("do not use the key in %s any more", op.Path)
}
func (op KeyRemove) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op KeyRemove) key() key     { return key{text(op.Name), text(op.Path)} }

// HostKeysSet is nvmf_subsystem_set_keys, of a host that is let in already: from here on it
// authenticates with other keys, or with none. Its connections stay, and its TLS key.
type HostKeysSet struct {
	At
	NQN, Host lineage.NQN
	Keys      lineage.HostKeys
}

func (op HostKeysSet) Words() string {
	if op.Keys.IsZero() {
		return fmt.Sprintf("let %s in to %s without authentication from now on", op.Host, op.NQN)
	}
	return fmt.Sprintf("let %s in to %s with %s only, from now on", op.Host, op.NQN, keysWords(op.Keys))
}
func (op HostKeysSet) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op HostKeysSet) key() key {
	return append(key{subsystemNamed(op.NQN), text(op.Host)}, keysParts(op.Keys)...)
}

func keysWords(k lineage.HostKeys) string {
	words := "key " + k.Key
	if k.CtrlKey != "" {
		words = fmt.Sprintf("keys %s and %s", k.Key, k.CtrlKey)
	}
	switch {
	case k.PSK != "" && k.Key == "":
		return "TLS key " + k.PSK
	case k.PSK != "":
		return words + ", and TLS key " + k.PSK
	}
	return words
}

func keysParts(k lineage.HostKeys) (parts key) {
	if !k.IsZero() {
		parts = key{text(k.Key), text(k.CtrlKey)}
	}
	if k.PSK != "" {
		parts = append(parts, text(k.PSK))
	}
	return parts
}
