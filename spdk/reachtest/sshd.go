package reachtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// ErrNoSSHD says that there is no sshd on this machine. Tests that need one are
// skipped then, unless NeedSSHD is set.
var ErrNoSSHD = errors.New("there is no sshd on this machine (Debian: openssh-server)")

// NeedSSHD is the environment variable that makes the lack of an sshd a failure.
const NeedSSHD = "STRATA_TEST_SSHD"

// SSHD is a real sshd on the loopback, which lets one user in with one key.
type SSHD struct {
	Addr       string // host:port
	User       string
	Key        string // file with the private key that is let in
	KnownHosts string // file with its own keys

	dir string
	cmd *exec.Cmd
}

// StartSSHD starts one with everything of its in dir. The lines are added to
// its configuration. A port that was free may be another program's by the time that
// sshd listens; then there is another.
func StartSSHD(dir string, lines ...string) (d *SSHD, err error) {
	for range 10 {
		if d, err = startSSHD(dir, lines); !errors.Is(err, errPortTaken) {
			break
		}
	}
	return d, err
}

var errPortTaken = errors.New("the port is another program's by now")

func startSSHD(dir string, lines []string) (*SSHD, error) {
	program, err := findSSHD()
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.Close()
	d := &SSHD{
		Addr: l.Addr().String(), User: me.Username, dir: dir,
		Key: filepath.Join(dir, "id_ed25519"), KnownHosts: filepath.Join(dir, "known_hosts"),
	}
	if err := d.makeKeys(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(d.Addr)
	config := append([]string{
		"ListenAddress 127.0.0.1", "Port " + port, "PidFile none", "StrictModes no", "LogLevel VERBOSE", "UseDNS no", "MaxStartups 200",
		"HostKey " + d.path("host_ed25519"), "HostKey " + d.path("host_ecdsa"),
		"SetEnv HOME=" + dir, // what the user's shell does when it starts is not part of any test
		"AuthorizedKeysFile " + d.path("authorized_keys"), "PasswordAuthentication no", "KbdInteractiveAuthentication no",
	}, lines...)
	if os.Geteuid() != 0 {
		config = append(config, "UsePAM yes") // without, it takes accounts for locked whose passwords it cannot read
	}
	if err := os.WriteFile(d.path("sshd_config"), []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(d.path("log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d.cmd = exec.Command(program, "-D", "-e", "-f", d.path("sshd_config"))
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	if err := d.wait(); err != nil {
		d.Close()
		return nil, fmt.Errorf("%w: %s", err, d.Log())
	}
	return d, nil
}

// findSSHD finds the program, which must be run by its full path, and makes
// what it wants to be there when root runs it.
func findSSHD() (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, "sshd")
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && filepath.IsAbs(path) {
			if os.Geteuid() == 0 {
				return path, os.MkdirAll("/run/sshd", 0o755)
			}
			return path, nil
		}
	}
	return "", ErrNoSSHD
}

// HasSSHD reports whether there is one to be started.
func HasSSHD() bool {
	_, err := findSSHD()
	return err == nil
}

func (d *SSHD) path(name string) string { return filepath.Join(d.dir, name) }

// makeKeys makes two keys of the host and one of the user.
func (d *SSHD) makeKeys() error {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	var known bytes.Buffer
	for name, key := range map[string]any{"host_ed25519": ed, "host_ecdsa": ec} {
		line, err := WriteKey(d.path(name), key, "")
		if err != nil {
			return err
		}
		host, port, _ := net.SplitHostPort(d.Addr)
		fmt.Fprintf(&known, "[%s]:%s %s", host, port, line)
	}
	if err := os.WriteFile(d.KnownHosts, known.Bytes(), 0o600); err != nil {
		return err
	}
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	line, err := WriteKey(d.Key, own, "")
	if err != nil {
		return err
	}
	return os.WriteFile(d.path("authorized_keys"), line, 0o600)
}

// WriteKey writes a private key to a file, encrypted if there is a passphrase,
// and the public one beside it. It returns the public one.
func WriteKey(file string, key any, passphrase string) ([]byte, error) {
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, err
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		return nil, err
	}
	public := ssh.MarshalAuthorizedKey(signer.PublicKey())
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return public, os.WriteFile(file+".pub", public, 0o600)
}

// wait waits until it says that it listens. That somebody answers at its port would not say
// that it is the one who does.
func (d *SSHD) wait() error {
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		switch log := d.Log(); {
		case strings.Contains(log, "Server listening on "):
			return nil
		case strings.Contains(log, "Address already in use"):
			return errPortTaken
		case time.Now().After(until):
			return errors.New("sshd does not listen within a minute")
		}
	}
}

// Log is what it has printed.
func (d *SSHD) Log() string {
	text, _ := os.ReadFile(d.path("log"))
	return string(text)
}

// Logins counts the ssh connections that were let in.
func (d *SSHD) Logins() int { return strings.Count(d.Log(), "Accepted publickey for "+d.User) }

// Close ends it. Connections that there are go on.
func (d *SSHD) Close() {
	d.cmd.Process.Kill()
	d.cmd.Wait()
}
