package spdk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// SSH is how the hosts in ssh:// addresses are reached. Paths are of files on
// this machine; those that are not there are passed over, but for Key. Clients
// may share one: what is encrypted is then decrypted only once.
type SSH struct {
	// Key is the one private key to use, or the public key of one that the
	// agent has. "": any of the agent's, then any of Keys.
	Key        string
	Passphrase string   // of Key; "": if Key is encrypted, the agent must have it
	Keys       []string // private keys; encrypted ones are passed over
	Agent      string   // Unix socket of an ssh agent, or ""
	KnownHosts []string // the keys of hosts, as OpenSSH keeps them

	mu        sync.Mutex
	decrypted map[string]ssh.Signer // by the text of the file
}

// sshDialer keeps the one ssh connection to the host of a target. Each
// connection to the target is a channel of it, which sshd connects to the
// target's socket (direct-streamlocal@openssh.com).
type sshDialer struct {
	to   endpoint
	opts *Options

	making sync.Mutex // is held while a connection is made

	mu     sync.Mutex
	host   *sshHost // nil: none that is known to work
	closed bool
}

// sshHost is an ssh connection.
type sshHost struct {
	nc     net.Conn
	client *ssh.Client
	alive  context.Context // ends with the connection
}

// open makes a channel to a Unix socket there. The package may wait for good
// for one that is asked for while the connection ends.
func (h *sshHost) open(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.alive, cancel)()
	return h.client.DialContext(ctx, "unix", path)
}

// dial connects to the target. The connection to its host is made if need be,
// and made anew if it turns out to be broken.
func (d *sshDialer) dial(ctx context.Context) (net.Conn, error) {
	for {
		host, fresh, err := d.connected(ctx)
		if err != nil {
			return nil, d.name(err)
		}
		nc, err := host.open(ctx, d.to.path)
		if err == nil {
			return newChannel(nc, host, d.opts.Timeout), nil
		}
		if refused := (*ssh.OpenChannelError)(nil); errors.As(err, &refused) {
			return nil, d.name(d.refused(refused))
		}
		d.drop(host)
		if ctx.Err() != nil {
			return nil, d.name(errors.New("no answer from sshd"))
		}
		if fresh {
			return nil, d.name(errors.New("sshd ended the connection"))
		}
	}
}

// name says which host an error is about.
func (d *sshDialer) name(err error) error {
	return fmt.Errorf("ssh %s@%s: %w", d.to.user, d.to.address, err)
}

// refused words why there is no channel. OpenSSH says no more than "open
// failed", whatever the reason is.
func (d *sshDialer) refused(err *ssh.OpenChannelError) error {
	return fmt.Errorf("no connection to %[1]s there (%[2]s): does the target run, may %[3]s open its socket, and does sshd let %[3]s reach it (AllowStreamLocalForwarding)?",
		d.to.path, err.Message, d.to.user)
}

// connected returns the connection to the host, and whether it was just made.
func (d *sshDialer) connected(ctx context.Context) (*sshHost, bool, error) {
	d.mu.Lock()
	host, closed := d.host, d.closed
	d.mu.Unlock()
	if closed {
		return nil, false, errClientClosed
	}
	if host != nil {
		return host, false, nil
	}
	d.making.Lock() // one makes it for all
	defer d.making.Unlock()
	d.mu.Lock()
	host, closed = d.host, d.closed
	d.mu.Unlock()
	switch {
	case closed:
		return nil, false, errClientClosed
	case host != nil:
		return host, false, nil
	}
	host, err := d.connect(ctx)
	if err != nil {
		return nil, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		host.nc.Close()
		return nil, false, errClientClosed
	}
	d.host = host
	return host, true, nil
}

func (d *sshDialer) drop(host *sshHost) {
	host.nc.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.host == host {
		d.host = nil
	}
}

func (d *sshDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.host != nil {
		d.host.nc.Close()
	}
}

// connect makes a connection to the host.
func (d *sshDialer) connect(ctx context.Context) (*sshHost, error) {
	known, err := readKnownHosts(d.opts.SSH.KnownHosts)
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(ctx, d.opts.SSH)
	if err != nil {
		return nil, err
	}
	defer keys.close()
	check := &hostCheck{known: known, files: d.opts.SSH.KnownHosts, address: d.to.address}
	algorithms := check.algorithms()

	nc, err := d.opts.Dial(ctx, d.to.network, d.to.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	conn, channels, requests, err := ssh.NewClientConn(nc, d.to.address, &ssh.ClientConfig{
		User:              d.to.user,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(keys.signers...)},
		HostKeyCallback:   check.check,
		HostKeyAlgorithms: algorithms,
		ClientVersion:     "SSH-2.0-strata",
	})
	if !stop() {
		nc.Close()
		return nil, errors.New("sshd did not finish the handshake in time")
	}
	if err != nil {
		nc.Close()
		return nil, d.handshakeError(err, check, keys)
	}
	host := &sshHost{nc: nc, client: ssh.NewClient(conn, channels, requests)}
	alive, end := context.WithCancel(context.Background())
	host.alive = alive
	go func() {
		_ = host.client.Wait() // why it ended shows in what is asked of it next
		end()
	}()
	return host, nil
}

// handshakeError says in plain words why a handshake failed.
func (d *sshDialer) handshakeError(err error, check *hostCheck, keys *keyRing) error {
	if check.err != nil {
		return check.err
	}
	if none := (*ssh.AlgorithmNegotiationError)(nil); errors.As(err, &none) && none.What == "host key" {
		return check.noCommon(none.RequestedAlgorithms)
	}
	// The package has no type for this one.
	if strings.Contains(err.Error(), "unable to authenticate") || strings.Contains(err.Error(), "Too many authentication failures") {
		return fmt.Errorf("%s is let in with none of the keys tried, %s (%w)", d.to.user, keys, err)
	}
	return err
}
