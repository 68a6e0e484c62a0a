package schema

import (
	"cuelang.org/go/cue"

	"strata/lineage"
)

// HostKeys are the keys that a host and the target prove to one another that they have
// (DH-HMAC-CHAP), and the one by which they encrypt what they send (TLS); zero for none.
type HostKeys struct {
	Key     HostKey // of the host
	CtrlKey HostKey `json:",omitzero"` // of the target; zero: it need not prove anything
	PSK     HostKey `json:",omitzero"` // of TLS
}

// HostKey says where a key is: in a file of each node that hosts of the volume connect to,
// or where strata finds it, which puts it there.
type HostKey struct {
	Path string `json:",omitempty"`
	From Secret `json:",omitzero"`
}

// IsZero reports whether there is none.
func (k HostKey) IsZero() bool { return k.Path == "" && k.From.IsZero() }

// Sent reports whether strata puts it on the nodes.
func (k HostKey) Sent() bool { return !k.From.IsZero() }

// IsZero reports whether there is none.
func (k HostKeys) IsZero() bool { return k.Key.IsZero() && k.CtrlKey.IsZero() && k.PSK.IsZero() }

// Of is the one of a role.
func (k HostKeys) Of(role lineage.KeyRole) HostKey {
	switch role {
	case lineage.RoleTarget:
		return k.CtrlKey
	case lineage.RolePSK:
		return k.PSK
	}
	return k.Key
}

// keyFile is a path without detours, which can be part of a name in a keyring.
var keyFile = lazily(`^(/[!-.0-9;-~]+)+$`)

func validKeyFile(s string) bool {
	return keyFile.MatchString(s) && len(s) <= 250 && !detour.MatchString(s)
}

var detour = lazily(`/\.{1,2}(/|$)`)

const wantHost = `an NQN, or a struct such as {nqn: "nqn.2026-01.com.example:host1", dhchap: key: path: "/etc/spdk/host1.key"}`

// host reads one that is let in: an NQN, or that with what it has to prove.
func (s *spot) host() (h lineage.NQN, keys HostKeys, ok bool) {
	const want = `an NQN such as "nqn.2014-08.org.nvmexpress:uuid:6b1fdd2c-…" or "nqn.2026-01.com.example:host1"`
	if !s.resolve() {
		return "", keys, false
	}
	if s.value.Kind() == cue.StringKind {
		t, ok := s.matching(want, validNQN)
		return lineage.NQN(t), keys, ok
	}
	o, ok := s.object(wantHost)
	if !ok {
		return "", keys, false
	}
	o.only(hostFields)
	t, ok := o.required("nqn", `"nqn.2026-01.com.example:host1"`).matching(want, validNQN)
	if chap := o.field("dhchap"); chap != nil {
		c, is := chap.object(`a struct such as {key: path: "/etc/spdk/host1.key"}`)
		if !is {
			return "", keys, false
		}
		c.only(chapFields)
		keys.Key = c.required("key", `{path: "/etc/spdk/host1.key"}`).hostKey()
		keys.CtrlKey = c.field("ctrlrKey").hostKey()
	}
	keys.PSK = o.field("psk").hostKey()
	return lineage.NQN(t), keys, ok
}

const wantHostKey = `{path: "/etc/spdk/host1.key"}, a file on the nodes, or where strata finds it: {env: "NAME"}, {file: "/path"} or {command: ["program", "argument"]}`

// hostKey reads where a key is; zero where nothing is said. It never repeats what stands there
// in place of that: it may be the key.
func (s *spot) hostKey() (k HostKey) {
	if s == nil {
		return k
	}
	o, ok := s.object(wantHostKey)
	if !ok {
		return k
	}
	path := o.field("path")
	if path == nil {
		return HostKey{From: s.secretOf(o, wantHostKey, keyFields)}
	}
	o.only(keyFields)
	if len(o.fields) > 1 {
		s.wrong("", "must be one of %s", wantHostKey)
	}
	k.Path, _ = path.matching(`the absolute path of a file on the nodes, without detours, blanks and ":", such as "/etc/spdk/host1.key"`, validKeyFile)
	return k
}
