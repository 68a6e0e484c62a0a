package spdk

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// readKnownHosts reads those of the files that are there.
func readKnownHosts(files []string) (ssh.HostKeyCallback, error) {
	there := slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		_, err := os.Stat(file)
		return os.IsNotExist(err)
	})
	for _, file := range there {
		if err := regular(file); err != nil {
			return nil, err
		}
	}
	return knownhosts.New(there...)
}

// hostCheck compares the key that a host shows with those that are known.
type hostCheck struct {
	known   ssh.HostKeyCallback
	files   []string
	address string // host:port
	err     error  // why the host was refused
}

// preferred are the kinds of keys to ask a host for of which nothing is known.
var preferred = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// certified are the kinds of keys of hosts that an authority vouches for.
var certified = []string{
	ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
}

// algorithms are the kinds of keys that the host may show. A host has several;
// it must show one that is known, not the one that would be chosen otherwise.
func (h *hostCheck) algorithms() []string {
	var kinds []string
	for _, k := range h.wanted() {
		switch kind := k.Key.Type(); {
		case ofAuthority(k):
			kinds = append(kinds, certified...)
		case kind == ssh.KeyAlgoRSA:
			kinds = append(kinds, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			kinds = append(kinds, kind)
		}
	}
	if kinds == nil {
		return preferred
	}
	return kinds
}

// wanted are the keys of the host that are known.
func (h *hostCheck) wanted() []knownhosts.KnownKey {
	var mismatch *knownhosts.KeyError
	if err := h.known(h.address, &net.TCPAddr{}, noKey{}); errors.As(err, &mismatch) {
		return mismatch.Want
	}
	return nil
}

// noKey is no host's.
type noKey struct{ ssh.PublicKey }

func (noKey) Type() string    { return "none" }
func (noKey) Marshal() []byte { return []byte("none") }

// ofAuthority reports whether a line has the key of an authority, which
// vouches for hosts.
func ofAuthority(k knownhosts.KnownKey) bool {
	text, err := os.ReadFile(k.Filename)
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return k.Line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[k.Line-1]), "@cert-authority")
}

// check refuses a host whose key is not known, and says what to do.
func (h *hostCheck) check(address string, remote net.Addr, key ssh.PublicKey) error {
	h.err = h.explain(h.known(address, remote, key), key)
	return h.err
}

func (h *hostCheck) explain(err error, key ssh.PublicKey) error {
	shown := describe(key)
	var mismatch *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case errors.As(err, &revoked):
		return fmt.Errorf("the host's key, %s, is marked as revoked (%s:%d)", shown, revoked.Revoked.Filename, revoked.Revoked.Line)
	case errors.As(err, &mismatch) && len(mismatch.Want) == 0:
		return fmt.Errorf("the host is not known: its key, %s, is not in %s; %s", shown, list(h.files), h.howToAdd(key.Type()))
	case errors.As(err, &mismatch):
		k := mismatch.Want[0]
		return fmt.Errorf("the host's key has changed: it shows %s, and %s:%d has %s; either somebody stands between, or the host was installed anew: then run ssh-keygen -R %q -f %s and add its new key",
			shown, k.Filename, k.Line, describe(k.Key), knownhosts.Normalize(h.address), k.Filename)
	case err != nil:
		return fmt.Errorf("the host's key, %s, is not accepted: %w", shown, err)
	}
	return nil
}

// noCommon says that the host has no key of a kind that is known of it.
func (h *hostCheck) noCommon(offered []string) error {
	want := h.wanted()
	if len(want) == 0 {
		return fmt.Errorf("the host has no key of a kind that strata accepts, only %s", strings.Join(offered, ", "))
	}
	return fmt.Errorf("the host shows no key of a kind that is known of it (%s:%d has %s), only %s; %s",
		want[0].Filename, want[0].Line, describe(want[0].Key), strings.Join(offered, ", "), h.howToAdd(offered[0]))
}

// howToAdd says how a host's key gets to be known.
func (h *hostCheck) howToAdd(algorithm string) string {
	kind := strings.TrimPrefix(algorithm, "ssh-")
	switch {
	case strings.HasPrefix(kind, "ecdsa"):
		kind = "ecdsa"
	case strings.HasPrefix(kind, "rsa"):
		kind = "rsa"
	}
	host, port, _ := net.SplitHostPort(h.address)
	file := "~/.ssh/known_hosts"
	if len(h.files) > 0 {
		file = h.files[0]
	}
	return fmt.Sprintf("if it is what ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub says on that host, run ssh-keyscan -t %s -p %s %s >>%s", kind, kind, port, host, file)
}

func list(files []string) string {
	if len(files) == 0 {
		return "any file"
	}
	return strings.Join(files, " or ")
}

func describe(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }
