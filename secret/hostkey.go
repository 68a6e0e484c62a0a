package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"strata/lineage"
	"strata/nvmetcp"
)

// HostKey is a key that a host of a volume, or the target, proves to have.
type HostKey struct{ key *nvmetcp.Key }

// NewHostKey makes one at random.
func NewHostKey() HostKey { return HostKey{nvmetcp.NewKey()} }

var errNoHostKey = errors.New("what is there is no key of a host: it has to begin with DHHC-1:01: and end with a colon, as nvme gen-dhchap-key --hmac=1 prints them")

// ParseHostKey reads one. Its error says nothing of what is there.
func ParseHostKey(text string) (HostKey, error) {
	k, err := nvmetcp.ParseKey(text)
	if err != nil {
		return HostKey{}, errNoHostKey
	}
	return HostKey{k}, nil
}

// Text is what a target's file has to have in it.
func (k HostKey) Text() string { return k.key.Text() + "\n" }

// Check tells which key of those that a host had it is: an HMAC, so that nothing is learnt of
// the key, nor whether two hosts or volumes have the same.
func (k HostKey) Check(c lineage.Cluster, volume, whose string) string {
	h := hmac.New(sha256.New, []byte(k.key.Text()))
	fmt.Fprintf(h, "strata key of %s/%s/%s", c, volume, whose)
	return lineage.KeyCheck(h.Sum(nil))
}

// String is for whoever prints one by mistake.
func (k HostKey) String() string { return "[a key]" }

// GoString is the same.
func (k HostKey) GoString() string { return k.String() }
