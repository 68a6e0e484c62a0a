package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"strata/lineage"
	"strata/nvmetcp"
)

// HostKey is a key that a host of a volume, or the target, proves to have, or by which they
// encrypt what they send.
type HostKey struct{ text, file string }

// NewHostKey makes one at random by which somebody proves himself.
func NewHostKey() HostKey { return proving(nvmetcp.NewKey()) }

func proving(k *nvmetcp.Key) HostKey { return HostKey{k.Text(), k.Text() + "\n"} }

var (
	errNoHostKey = errors.New("what is there is no key of a host: it has to begin with DHHC-1:01: and end with a colon, as nvme gen-dhchap-key --hmac=1 prints them")
	errNoPSK     = errors.New("what is there is no TLS key of a host: it has to begin with NVMeTLSkey-1:01: and end with a colon, as nvme gen-tls-key prints them")
)

// ParseHostKey reads one for a role. Its error says nothing of what is there.
func ParseHostKey(role lineage.KeyRole, text string) (HostKey, error) {
	if role == lineage.RolePSK {
		p, err := nvmetcp.ParsePSK(strings.TrimSpace(text))
		if err != nil {
			return HostKey{}, errNoPSK
		}
		return HostKey{p.Text(), p.Text()}, nil // targets refuse one that ends with the line
	}
	k, err := nvmetcp.ParseKey(text)
	if err != nil {
		return HostKey{}, errNoHostKey
	}
	return proving(k), nil
}

// Text is what a target's file has to have in it.
func (k HostKey) Text() string { return k.file }

// Check tells which key of those that a host had it is: an HMAC, so that nothing is learnt of
// the key, nor whether two hosts or volumes have the same.
func (k HostKey) Check(c lineage.Cluster, volume, whose string) string {
	h := hmac.New(sha256.New, []byte(k.text))
	fmt.Fprintf(h, "strata key of %s/%s/%s", c, volume, whose)
	return lineage.KeyCheck(h.Sum(nil))
}

// String is for whoever prints one by mistake.
func (k HostKey) String() string { return "[a key]" }

// GoString is the same.
func (k HostKey) GoString() string { return k.String() }
