package spdk

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// keyRing is the keys that are tried with a host.
type keyRing struct {
	signers []ssh.Signer
	from    []string // where they are from, for messages
	agent   net.Conn // signs as long as it is open; nil: there is none
}

func (k *keyRing) String() string { return strings.Join(k.from, ", ") }

func (k *keyRing) close() {
	if k.agent != nil {
		k.agent.Close()
	}
}

// readKeys collects the keys. The result must be closed, and is of use until
// ctx ends.
func readKeys(ctx context.Context, s *SSH) (*keyRing, error) {
	k := &keyRing{}
	held, agentErr := k.ask(ctx, s.Agent)
	var err error
	if s.Key != "" {
		err = k.only(s, held)
	} else {
		err = k.usual(s, held)
	}
	if err == nil {
		return k, nil
	}
	k.close()
	if agentErr != nil {
		err = fmt.Errorf("%w (the ssh agent cannot be asked: %w)", err, agentErr)
	}
	return nil, err
}

// ask returns the keys that the agent has.
func (k *keyRing) ask(ctx context.Context, socket string) ([]ssh.Signer, error) {
	if socket == "" {
		return nil, nil
	}
	nc, err := dialNet(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	k.agent = nc
	// One that does not answer leaves time to do without it.
	deadline, limited := ctx.Deadline()
	if limited {
		nc.SetDeadline(time.Now().Add(time.Until(deadline) / 2))
	}
	held, err := agent.NewClient(nc).Signers()
	if limited {
		nc.SetDeadline(deadline) // of signing, which it may ask its owner for
	}
	return held, err
}

// only takes the key that is named, and no other.
func (k *keyRing) only(s *SSH, held []ssh.Signer) error {
	if err := regular(s.Key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	text, err := os.ReadFile(s.Key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var encrypted *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &encrypted) && s.Passphrase != "":
		signer, err = s.decrypt(text)
	case errors.As(err, &encrypted):
		public := encrypted.PublicKey
		if public == nil { // in formats older than OpenSSH's own
			public = publicKey(s.Key + ".pub")
		}
		if signer, err = hold(held, public), nil; signer == nil {
			err = fmt.Errorf("it is encrypted, and the ssh agent does not have it: run ssh-add %s, or say where its passphrase is found", s.Key)
		}
	case err != nil:
		if public := publicKey(s.Key); public != nil {
			if signer, err = hold(held, public), nil; signer == nil {
				err = errors.New("it is a public key, of which the ssh agent has no private one")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", s.Key, err)
	}
	k.signers, k.from = []ssh.Signer{signer}, []string{s.Key}
	return nil
}

// decrypt decrypts a key, which is made to take long.
func (s *SSH) decrypt(text []byte) (ssh.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if signer := s.decrypted[string(text)]; signer != nil {
		return signer, nil
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(s.Passphrase))
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, errors.New("the passphrase is not that of the key")
	}
	if err == nil {
		s.decrypted = map[string]ssh.Signer{string(text): signer}
	}
	return signer, err
}

// usual takes the agent's keys and those of the files that can be read.
func (k *keyRing) usual(s *SSH, held []ssh.Signer) error {
	if len(held) > 0 {
		k.signers = append(k.signers, held...)
		k.from = append(k.from, fmt.Sprintf("%d of the ssh agent", len(held)))
	}
	passed := []string{"the ssh agent has none"}
	if s.Agent == "" {
		passed[0] = "there is no ssh agent"
	}
	for _, file := range s.Keys {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			passed = append(passed, file+" is not there")
			continue
		}
		var signer ssh.Signer
		if err == nil {
			signer, err = ssh.ParsePrivateKey(text)
		}
		var encrypted *ssh.PassphraseMissingError
		switch {
		case errors.As(err, &encrypted):
			passed = append(passed, file+" is encrypted")
		case err != nil:
			passed = append(passed, fmt.Sprintf("%s: %v", file, err))
		case hold(held, signer.PublicKey()) == nil:
			k.signers, k.from = append(k.signers, signer), append(k.from, file)
		}
	}
	if len(k.signers) == 0 {
		return fmt.Errorf("there is no key to use: %s", strings.Join(passed, ", "))
	}
	return nil
}

// hold finds the signer of a public key, or nil.
func hold(held []ssh.Signer, public ssh.PublicKey) ssh.Signer {
	if public == nil {
		return nil
	}
	for _, s := range held {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return s
		}
	}
	return nil
}

// maxKeyFile is more than any file of keys has.
const maxKeyFile = 16 << 20

// regular refuses what is no file to be read to its end: a pipe, a device. One
// that is not there is somebody else's affair.
func regular(file string) error {
	switch info, err := os.Stat(file); {
	case err != nil:
		return nil //nolint:nilerr // opening it says why
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", file)
	case info.Size() > maxKeyFile:
		return fmt.Errorf("%s is too large for a file of keys", file)
	}
	return nil
}

// publicKey reads a file in the format of authorized_keys, or returns nil.
func publicKey(file string) ssh.PublicKey {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return key
}
