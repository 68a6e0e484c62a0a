package lineage

import (
	"encoding/hex"
	"strings"
)

// Check is what the names of an encrypted volume's heads say of its key: four base32
// characters that follow from the key and the incarnation, or Unkeyed; "" for a volume
// that is not encrypted. It tells a wrong key, and no key.
type Check string

// Unkeyed says that a volume is encrypted, and nothing was written to it yet with any key.
const Unkeyed Check = "0000"

// PendingCheck stands for one that is not known yet, as Pending does for an ID.
const PendingCheck Check = "????"

// checkMark is before the check in the names of heads.
const checkMark = "="

// ValidCheck reports whether a check can stand in a name.
func ValidCheck(c Check) bool { return c == Unkeyed || c == PendingCheck || ValidID(ID(c)) }

// NewCheck makes a check of what was derived from a key.
func NewCheck(derived []byte) Check { return Check(idEncoding.EncodeToString(derived)[:idLen]) }

// cutCheck takes the check out of the name of a head; false if it is none.
func cutCheck(s string) (rest string, c Check, ok bool) {
	before, after, is := strings.Cut(s, checkMark)
	if !is {
		return s, "", true
	}
	if before == "" || before[len(before)-1] < '0' || before[len(before)-1] > '9' || len(after) < idLen || !ValidCheck(Check(after[:idLen])) || strings.Trim(after[idLen:], "wqpsxy") != "" { // marks follow
		return s, "", false
	}
	return before + after[idLen:], Check(after[:idLen]), true
}

// How the names of ciphers end, by what they stand on.
const (
	onMirror = ".cipher"
	onLeg    = ".cipher.leg"
	beneath  = ".cipher." // and a tag that follows from the leg
)

// Cipher is the name of the bdev through which a volume is encrypted, on its engine: on its
// mirror, or else on its only leg. A target keeps such a name for what was below when that
// has gone, so each has its own. The key is called as the cipher is.
func (c Cluster) Cipher(v Volume, mirror bool) string {
	if mirror {
		return c.Raid(v) + onMirror
	}
	return c.Raid(v) + onLeg
}

// Ciphers are the names that the cipher of a volume may have while all its replicas have one
// key.
func (c Cluster) Ciphers(v Volume) []string { return []string{c.Cipher(v, true), c.Cipher(v, false)} }

// LegCipher is the name of the bdev through which a mirror has one leg, while the replicas of
// the volume have not all the same key. It follows from that leg, for a target may keep the name of
// one whose base is gone: what is made in its place has another.
func (c Cluster) LegCipher(v Volume, leg UUID) string {
	return c.Raid(v) + beneath + string(uuidOf("cipher ", leg))[:legTag]
}

// legTag is how many digits tell the ciphers of legs apart.
const legTag = 8

// ParseLegCipher is the inverse of LegCipher, as far as the volume goes; false for any other bdev.
func (c Cluster) ParseLegCipher(name string) (Volume, bool) {
	i := strings.LastIndex(name, beneath)
	if i < 0 {
		return Volume{}, false
	}
	if tag := name[i+len(beneath):]; len(tag) != legTag || strings.Trim(tag, "0123456789abcdef") != "" {
		return Volume{}, false
	}
	return c.ParseRaid(name[:i])
}

// ParseCipher is the inverse of Cipher and LegCipher; false for any other bdev.
func (c Cluster) ParseCipher(name string) (Volume, bool) {
	if v, ok := c.ParseLegCipher(name); ok {
		return v, true
	}
	raid, ok := strings.CutSuffix(name, onMirror)
	if !ok {
		raid, ok = strings.CutSuffix(name, onLeg)
	}
	if !ok {
		return Volume{}, false
	}
	return c.ParseRaid(raid)
}

// Room is the name of the bdev that holds the place of a leg to come while a mirror is made: a
// target gives a mirror no more places afterwards. It goes before the mirror is used.
func Room(raid string) string { return raid + ".room" }

const keyNote = ".key."

// KeyNote is the name of the bdev that says that a target may have the key of a volume: what
// keys it has it tells only with the keys themselves, and it forgets both when it ends. Its
// UUID is a KeyMark.
func (c Cluster) KeyNote(v Volume) string { return string(c) + keyNote + v.String() }

// ParseKeyNote is the inverse of KeyNote; false for a bdev that is no such note.
func (c Cluster) ParseKeyNote(name string) (Volume, bool) {
	rest, ok := strings.CutPrefix(name, string(c)+keyNote)
	if !ok {
		return Volume{}, false
	}
	return parseVolume(rest)
}

// KeyMark is the UUID of a note: it has the check of the key.
func KeyMark(v Volume, check Check) UUID {
	return UUID(hex.EncodeToString([]byte(check))) + uuidOf("key ", v)[8:]
}

// ParseKeyMark is the inverse of KeyMark for that volume.
func ParseKeyMark(v Volume, u UUID) (Check, bool) {
	if len(u) < 2*idLen {
		return "", false
	}
	b, err := hex.DecodeString(string(u[:2*idLen]))
	check := Check(b)
	return check, err == nil && ValidCheck(check) && KeyMark(v, check) == u
}
