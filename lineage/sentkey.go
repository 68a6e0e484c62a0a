package lineage

import (
	"crypto/sha256"
	"strings"
)

// SentKey tells a key of a host of a volume that strata puts on nodes from all others: of
// which host it is, or of the target for that host, and which key it is. It is none, and tells
// nothing of it.
type SentKey struct {
	Volume string
	Whose  string // see Whose
	Check  string // by which keys of one host are told apart
}

// KeyCheck makes a check of what was derived from a key. It needs 10 bytes of that.
func KeyCheck(derived []byte) string { return idEncoding.EncodeToString(derived[:10]) }

// Whose stands in names for a host of a volume, or for the target that proves itself to it, or
// for the TLS of both.
func Whose(host NQN, role KeyRole) string {
	words := map[KeyRole]string{RoleHost: "host ", RoleTarget: "target for ", RolePSK: "tls of "}
	sum := sha256.Sum256([]byte(words[role] + string(host)))
	return idEncoding.EncodeToString(sum[:5])
}

const (
	sentMark   = ".~" // before whose key it is
	whoseLen   = 8
	checkOfLen = 16
)

// SentKey is what the key is called in keyrings, and the file that it is in. In a file that
// somebody else has put there it is called after that (Key).
func (c Cluster) SentKey(k SentKey) string {
	return string(c) + ".host." + k.Volume + sentMark + k.Whose + "." + k.Check
}

// ParseSentKey is the inverse of SentKey; false for any other name.
func (c Cluster) ParseSentKey(name string) (k SentKey, ok bool) {
	rest, ok := strings.CutPrefix(name, string(c)+".host.")
	if !ok {
		return k, false
	}
	k.Volume, rest, _ = strings.Cut(rest, sentMark)
	k.Whose, k.Check, _ = strings.Cut(rest, ".")
	if k.Volume == "" || strings.Contains(k.Volume, "/") || !encoded(k.Whose, whoseLen) || !encoded(k.Check, checkOfLen) {
		return SentKey{}, false
	}
	return k, true
}

func encoded(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
