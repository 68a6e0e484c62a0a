package schema

import (
	"regexp"

	"cuelang.org/go/cue"

	"strata/lineage"
)

// HostKeys are the files with the keys that a host and the target prove to one another that
// they have (DH-HMAC-CHAP), on each node that hosts of the volume connect to.
type HostKeys struct {
	Key     string // path of that of the host
	CtrlKey string `json:",omitempty"` // path of that of the target; "": it need not prove anything
}

// keyFile is a path without detours, which can be part of a name in a keyring.
var keyFile = regexp.MustCompile(`^(/[!-.0-9;-~]+)+$`)

func validKeyFile(s string) bool {
	return keyFile.MatchString(s) && len(s) <= 250 && !detour.MatchString(s)
}

var detour = regexp.MustCompile(`/\.{1,2}(/|$)`)

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
		keys.Key = c.required("key", `{path: "/etc/spdk/host1.key"}`).keyFile()
		keys.CtrlKey = c.field("ctrlrKey").keyFile()
	}
	return lineage.NQN(t), keys, ok
}

// keyFile reads where nodes have a key; "" where nothing is said.
func (s *spot) keyFile() string {
	if s == nil {
		return ""
	}
	o, ok := s.object(`a struct such as {path: "/etc/spdk/host1.key"}`)
	if !ok {
		return ""
	}
	o.only(keyFields)
	path, _ := o.required("path", `"/etc/spdk/host1.key"`).matching(`the absolute path of a file on the nodes, without detours, blanks and ":", such as "/etc/spdk/host1.key"`, validKeyFile)
	return path
}
