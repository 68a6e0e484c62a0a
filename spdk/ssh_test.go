package spdk

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"strata/spdk/reachtest"
)

// sshd starts one, or skips the test where there is none.
func sshd(t *testing.T, lines ...string) *reachtest.SSHD {
	t.Helper()
	d, err := reachtest.StartSSHD(t.TempDir(), lines...)
	if errors.Is(err, reachtest.ErrNoSSHD) && os.Getenv(reachtest.NeedSSHD) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		if t.Failed() {
			t.Log(d.Log())
		}
	})
	return d
}

// over returns a client of the target at a Unix socket of that host, which gives a slow
// machine a minute for what takes time there, if nothing else is said.
func over(t *testing.T, d *reachtest.SSHD, socket string, opts Options) *Client {
	if opts.SSH == nil {
		opts.SSH = &SSH{}
	}
	if opts.SSH.Key == "" && opts.SSH.Keys == nil && opts.SSH.Agent == "" {
		opts.SSH.Key = d.Key
	}
	if opts.SSH.KnownHosts == nil {
		opts.SSH.KnownHosts = []string{d.KnownHosts}
	}
	opts.Timeout, opts.DialTimeout = cmp.Or(opts.Timeout, time.Minute), cmp.Or(opts.DialTimeout, time.Minute)
	return client(t, "ssh://"+d.User+"@"+d.Addr+strings.TrimPrefix(socket, "unix://"), opts)
}

func TestSSH(t *testing.T) {
	d := sshd(t)
	var conns atomic.Int32
	c := over(t, d, serve(t, func(nc net.Conn) { conns.Add(1); echo(nc) }), Options{})
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			if err := call1(c, i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	big := strings.Repeat("x", 1<<20)
	var got []string
	if err := c.Call(context.Background(), "echo", []string{big}, &got); err != nil || len(got) != 1 || got[0] != big {
		t.Error(err, len(got))
	}
	if d.Logins() != 1 || conns.Load() != 1 {
		t.Errorf("%d logins, %d connections to the target", d.Logins(), conns.Load())
	}
}

// A target that closes its connections gets new ones through the ssh
// connection that there is.
func TestSSHOneConnectionANode(t *testing.T) {
	d := sshd(t)
	c := over(t, d, serve(t, func(nc net.Conn) {
		n := 0
		answerAll(nc, func(id, _ string) []byte {
			if n++; n == 3 {
				nc.Close()
			}
			return reply(id, []byte("true"))
		})
	}), Options{})
	lost := 0
	for range 12 {
		if err := c.Call(context.Background(), "x", nil, nil); err != nil {
			mustBe(t, err, Unknown)
			lost++
		}
	}
	if lost != 4 || d.Logins() != 1 {
		t.Errorf("%d lost, %d logins", lost, d.Logins())
	}
}

func TestSSHTargetNotThere(t *testing.T) {
	d := sshd(t)
	socket := filepath.Join(t.TempDir(), "s")
	c := over(t, d, socket, Options{})
	err := call1(c, 1)
	mustBe(t, err, Unreachable)
	if want := "no connection to " + socket + " there ("; !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
	serveAt(t, socket, echo)
	if err := call1(c, 2); err != nil {
		t.Error(err)
	}
	if d.Logins() != 1 {
		t.Errorf("%d logins", d.Logins())
	}
}

func TestSSHForwardingNotAllowed(t *testing.T) {
	d := sshd(t, "AllowStreamLocalForwarding no")
	err := call1(over(t, d, serve(t, echo), Options{}), 1)
	mustBe(t, err, Unreachable)
	if !strings.Contains(err.Error(), "AllowStreamLocalForwarding") {
		t.Error(err)
	}
}

func newKey(t *testing.T, file, passphrase string) (ed25519.PrivateKey, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	line, err := reachtest.WriteKey(file, key, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(line)
}

// serveAgent serves an ssh agent that has a key.
func serveAgent(t *testing.T, key any) string {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(serve(t, func(nc net.Conn) { agent.ServeAgent(ring, nc) }), "unix://")
}

func TestSSHKeys(t *testing.T) {
	d := sshd(t)
	socket := serve(t, echo)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	_, lines := newKey(t, path("plain"), "")
	locked, line := newKey(t, path("locked"), "open s3same")
	lines += line
	newKey(t, path("stranger"), "")
	stranger, _ := newKey(t, path("strangerlocked"), "open s3same")
	os.WriteFile(path("garbage"), []byte("nothing"), 0o600)
	if err := os.WriteFile(filepath.Join(filepath.Dir(d.Key), "authorized_keys"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	holds, other := serveAgent(t, locked), serveAgent(t, stranger)
	silent := strings.TrimPrefix(serve(t, func(nc net.Conn) { nc.Read(make([]byte, 1)); time.Sleep(time.Minute) }), "unix://")

	for name, x := range map[string]struct {
		ssh   *SSH
		want  string // of the error, "" for none
		limit time.Duration
	}{
		"a key":                         {&SSH{Key: path("plain")}, "", 0},
		"a key, though an agent asks":   {&SSH{Key: path("plain"), Agent: other}, "", 0},
		"a key with its passphrase":     {&SSH{Key: path("locked"), Passphrase: "open s3same"}, "", 0},
		"a wrong passphrase":            {&SSH{Key: path("locked"), Passphrase: "wrong s3same"}, "locked: the passphrase is not that of the key", 0},
		"an encrypted key":              {&SSH{Key: path("locked")}, "locked: it is encrypted, and the ssh agent does not have it: run ssh-add", 0},
		"which the agent has":           {&SSH{Key: path("locked"), Agent: holds}, "", 0},
		"which the agent has not":       {&SSH{Key: path("locked"), Agent: other}, "the ssh agent does not have it", 0},
		"the public key of it":          {&SSH{Key: path("locked.pub"), Agent: holds}, "", 0},
		"a public key alone":            {&SSH{Key: path("locked.pub"), Agent: other}, "it is a public key, of which the ssh agent has no private one", 0},
		"the agent's":                   {&SSH{Agent: holds}, "", 0},
		"one of several files":          {&SSH{Keys: []string{path("none"), path("locked"), path("garbage"), path("plain")}}, "", 0},
		"the agent's and files":         {&SSH{Agent: other, Keys: []string{path("stranger"), path("plain")}}, "", 0},
		"strangers":                     {&SSH{Agent: other, Keys: []string{path("stranger")}}, d.User + " is let in with none of the keys tried, 1 of the ssh agent, " + path("stranger"), 0},
		"no key that can be used":       {&SSH{Keys: []string{path("none"), path("locked")}}, "there is no key to use: there is no ssh agent, " + path("none") + " is not there, " + path("locked") + " is encrypted", 0},
		"a key that is not there":       {&SSH{Key: path("none")}, "key: open " + path("none") + ": no such file or directory", 0},
		"no key at all":                 {&SSH{Key: path("garbage")}, "key " + path("garbage") + ": ssh: no key found", 0},
		"an agent that is not there":    {&SSH{Agent: path("none"), Keys: []string{path("none")}}, "(the ssh agent cannot be asked: dial unix", 0},
		"an agent that does not answer": {&SSH{Agent: silent, Keys: []string{path("plain")}}, "", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call1(over(t, d, socket, Options{SSH: x.ssh, DialTimeout: x.limit}), 1)
			if x.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			mustBe(t, err, Unreachable)
			if !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "ssh "+d.User+"@"+d.Addr+": ") {
				t.Errorf("%v\nwant %s", err, x.want)
			}
			if strings.Contains(err.Error(), "s3same") {
				t.Error("the passphrase is in it")
			}
		})
	}
}

func TestSSHKnownHosts(t *testing.T) {
	d := sshd(t)
	socket := serve(t, echo)
	host, port, _ := net.SplitHostPort(d.Addr)
	at := "[" + host + "]:" + port + " "
	text, err := os.ReadFile(d.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{} // by kind
	for line := range strings.Lines(string(text)) {
		known[strings.Fields(line)[1]] = line
	}
	ed, ec := known[ssh.KeyAlgoED25519], known[ssh.KeyAlgoECDSA256]
	_, stranger := newKey(t, filepath.Join(t.TempDir(), "k"), "")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		file string
		want string
	}{
		"both keys":           {string(text), ""},
		"the one":             {ed, ""},
		"the other":           {ec, ""},
		"hashed":              {strings.Replace(ed, at, knownhosts.HashHostname(strings.TrimSpace(at))+" ", 1), ""},
		"among others":        {"other.example " + stranger + "# " + at + stranger + at + stranger + ed, ""},
		"unknown":             {"other.example " + stranger, "the host is not known: its key, ssh-ed25519 SHA256:"},
		"another port":        {strings.Replace(ed, at, host+" ", 1), "the host is not known"},
		"no file":             {"", "run ssh-keyscan -t ed25519 -p " + port + " " + host + " >>"},
		"changed":             {"\n" + at + stranger, ":2 has ssh-ed25519 SHA256:"},
		"changed, and so":     {at + stranger, "either somebody stands between, or the host was installed anew: then run ssh-keygen -R \"[" + host + "]:" + port + "\" -f "},
		"revoked":             {ed + strings.Replace(ed, at, "@revoked * ", 1), "is marked as revoked ("},
		"another kind":        {at + string(ssh.MarshalAuthorizedKey(public)), "the host shows no key of a kind that is known of it ("},
		"an authority":        {"@cert-authority " + at + stranger, "the host shows no key of a kind that is known of it ("},
		"no such line format": {"what is this\n", ":1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "known_hosts")
			if x.file != "" {
				if err := os.WriteFile(file, []byte(x.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := call1(over(t, d, socket, Options{SSH: &SSH{Key: d.Key, KnownHosts: []string{file}}}), 1)
			if x.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			mustBe(t, err, Unreachable)
			if !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%v\nwant %s", err, x.want)
			}
		})
	}
}

// An authority vouches for the host.
func TestSSHHostCertificate(t *testing.T) {
	dir := t.TempDir()
	hostKey, _ := newKey(t, filepath.Join(dir, "host"), "")
	caKey, ca := newKey(t, filepath.Join(dir, "ca"), "")
	host, err := ssh.NewSignerFromKey(hostKey)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ssh.NewSignerFromKey(caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{
		Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "host-cert.pub"), ssh.MarshalAuthorizedKey(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	d := sshd(t, "HostKey "+filepath.Join(dir, "host"), "HostCertificate "+filepath.Join(dir, "host-cert.pub"))
	if err := os.WriteFile(d.KnownHosts, []byte("@cert-authority "+knownhosts.Normalize(d.Addr)+" "+ca), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := call1(over(t, d, serve(t, echo), Options{}), 1); err != nil {
		t.Error(err)
	}
}

// network is one that can be made to lose everything.
type network struct {
	mu    sync.Mutex
	up    chan struct{} // is closed when it is back; nil while it works
	dials int
	conns []net.Conn
}

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	up := n.up
	n.mu.Unlock()
	if up != nil { // it goes on asking
		select {
		case <-up:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	nc, err := dialNet(ctx, network, address)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials++
	n.conns = append(n.conns, nc)
	return &lossy{nc, n}, err
}

func (n *network) isDown() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up != nil
}

func (n *network) lose() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.up = make(chan struct{})
}

func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.up)
	n.up = nil
}

// cut breaks all connections.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, nc := range n.conns {
		nc.Close()
	}
}

// lossy is a connection through it. What is lost is lost for good.
type lossy struct {
	net.Conn
	n *network
}

func (l *lossy) Write(b []byte) (int, error) {
	if l.n.isDown() {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

func (l *lossy) Read(b []byte) (int, error) {
	for {
		n, err := l.Conn.Read(b)
		if err != nil || !l.n.isDown() {
			return n, err
		}
	}
}

// reached waits until a call gets through: making an ssh connection takes the
// time it takes.
func reached(t *testing.T, c *Client) {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; {
		err := call1(c, 0)
		if err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

// A host that vanishes holds nobody up, and is found again when it is back.
func TestSSHHostVanishes(t *testing.T) {
	d := sshd(t)
	var path network
	c := over(t, d, serve(t, echo), Options{Timeout: 2 * time.Second, Dial: path.dial})
	reached(t, c)
	path.lose()
	start := time.Now()
	mustBe(t, call1(c, 2), Unknown)     // was in the socket
	mustBe(t, call1(c, 3), Unreachable) // finds no way to the target
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	path.heal()
	reached(t, c)
}

// An ssh connection that breaks while nobody uses it costs nobody a call; one
// that breaks under a call leaves its outcome unknown.
func TestSSHConnectionBreaks(t *testing.T) {
	d := sshd(t)
	var path network
	got := make(chan bool, 1)
	c := over(t, d, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, method string) []byte {
			if method == "wait" {
				got <- true
				return nil
			}
			return reply(id, []byte("[7]"))
		})
	}), Options{Dial: path.dial})
	if err := c.Call(context.Background(), "x", nil, nil); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	w := c.current.wire
	c.mu.Unlock()
	path.cut()
	<-w.written // the end has been noticed
	if err := c.Call(context.Background(), "x", nil, nil); err != nil {
		t.Error(err)
	}
	go func() {
		<-got
		path.cut()
	}()
	err := c.Call(context.Background(), "wait", nil, nil)
	mustBe(t, err, Unknown)
	if !strings.Contains(err.Error(), errFarEnd.Error()) {
		t.Error(err)
	}
	if path.dials != 2 || d.Logins() != 2 {
		t.Errorf("%d connections, %d logins", path.dials, d.Logins())
	}
}

// A target that hangs is another matter than its host: the next connection to
// it goes through the same ssh connection.
func TestSSHTargetHangs(t *testing.T) {
	d := sshd(t)
	var hangs atomic.Bool
	end := make(chan bool)
	t.Cleanup(func() { close(end) })
	c := over(t, d, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, _ string) []byte {
			if hangs.CompareAndSwap(true, false) {
				<-end
			}
			return reply(id, []byte("[0]"))
		})
	}), Options{Timeout: 2 * time.Second})
	reached(t, c)
	hangs.Store(true)
	mustBe(t, call1(c, 0), Unknown)
	reached(t, c)
	if d.Logins() != 1 {
		t.Errorf("%d logins", d.Logins())
	}
}

// A target that does not read: the caller gets away in time.
func TestSSHTargetDoesNotRead(t *testing.T) {
	d := sshd(t)
	end := make(chan bool)
	t.Cleanup(func() { close(end) })
	c := over(t, d, serve(t, func(nc net.Conn) {
		answerAll(nc, func(id, _ string) []byte {
			nc.Write(reply(id, []byte("[0]")))
			<-end
			return nil
		})
	}), Options{Timeout: 3 * time.Second})
	reached(t, c)
	pad := strings.Repeat("x", 1000)
	var reqs []*Req
	for range 10000 {
		reqs = append(reqs, &Req{Method: "x", Params: []string{pad}})
	}
	start := time.Now()
	if err := c.Round(context.Background(), reqs...); err == nil || time.Since(start) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	mustBe(t, reqs[0].Err, Unknown)
	mustBe(t, reqs[len(reqs)-1].Err, Unreachable)
	start = time.Now()
	c.Close()
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("closing took %v", took)
	}
}

// What takes connections and says nothing, or something else, is no sshd.
func TestSSHNoSSHD(t *testing.T) {
	end := make(chan bool)
	t.Cleanup(func() { close(end) })
	key := filepath.Join(t.TempDir(), "k")
	newKey(t, key, "")
	for name, x := range map[string]struct {
		do    func(net.Conn)
		limit time.Duration
		want  string
	}{
		"silent":  {func(net.Conn) { <-end }, 300 * time.Millisecond, "sshd did not finish the handshake in time"},
		"another": {func(nc net.Conn) { nc.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\n")) }, time.Minute, "ssh: "},
		"closes":  {func(net.Conn) {}, time.Minute, "ssh: "},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					nc, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer nc.Close()
						x.do(nc)
					}()
				}
			}()
			c := client(t, "ssh://root@"+l.Addr().String()+"/s", Options{Timeout: time.Minute, DialTimeout: x.limit, SSH: &SSH{Key: key, KnownHosts: []string{key + ".none"}}})
			start := time.Now()
			err = call1(c, 1)
			mustBe(t, err, Unreachable)
			if !strings.Contains(err.Error(), x.want) || time.Since(start) > 30*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	}
}
