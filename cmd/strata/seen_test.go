package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"strata/metrics"
	"strata/view"
	"strata/watch"
)

// served finds where a log says that the page is.
var served = regexp.MustCompile(`page and metrics are served" at=(\S+)/`)

// cmdGet is "get PATH [REGEXP...]": what the running watch serves there, until it
// matches all; each with a "!" before it is not to match. A path with a "!" before it
// is to be refused.
func (l *lab) cmdGet(s *script, args []string) error {
	if l.watches["watch"] == nil {
		return fmt.Errorf("no watch runs")
	}
	path, refused := strings.CutPrefix(args[0], "!")
	for until := time.Now().Add(watchPatience); ; time.Sleep(20 * time.Millisecond) {
		body, err := l.get(path, refused)
		for _, want := range args[1:] {
			pattern, not := strings.CutPrefix(want, "!")
			re, bad := regexp.Compile("(?m)" + pattern)
			if bad != nil {
				return bad
			}
			if err == nil && re.MatchString(body) == not {
				err = fmt.Errorf("%s is not so", want)
			}
		}
		if err == nil {
			fmt.Fprint(s.Stdout(), body)
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s: %w\n%s", path, err, body)
		}
	}
}

func (l *lab) get(path string, refused bool) (string, error) {
	log, err := os.ReadFile(l.watches["watch"].log)
	if err != nil {
		return "", err
	}
	at := served.FindSubmatch(log)
	if at == nil {
		return "", fmt.Errorf("it does not say where it serves")
	}
	r, err := http.Get(string(at[1]) + path)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && (r.StatusCode >= 300) != refused {
		err = fmt.Errorf("%s", r.Status)
	}
	return string(body), err
}

func TestListenCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen *listen
		want   string
	}{
		{&listen{}, ""},
		{&listen{address: "127.0.0.1:9470"}, ""},
		{&listen{address: "[::1]:0"}, ""},
		{&listen{address: "localhost:9470"}, ""},
		{&listen{address: "0.0.0.0:9470"}, "others reach that"},
		{&listen{address: ":9470"}, "others reach that"},
		{&listen{address: "10.0.0.1:9470", token: "t"}, "others reach that"},
		{&listen{address: "10.0.0.1:9470", cert: "c", key: "k"}, "others reach that"},
		{&listen{address: "10.0.0.1:9470", token: "t", cert: "c", key: "k"}, ""},
		{&listen{address: "127.0.0.1:9470", cert: "c"}, "go together"},
		{&listen{address: "9470"}, "want HOST:PORT"},
		{&listen{token: "t"}, "give --listen, too"},
	} {
		if err := c.listen.check(); err == nil && c.want != "" || err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %v: want %q", c.listen.address, err, c.want)
		}
	}
}

func TestGuarded(t *testing.T) {
	t.Parallel()
	inside := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "inside") })
	for _, c := range []struct {
		token, host, auth string
		code              int
	}{
		{"", "127.0.0.1:9470", "", 200},
		{"", "localhost:9470", "", 200},
		{"", "[::1]:9470", "", 200},
		{"", "[::1]", "", 200},
		{"", "evil.example:9470", "", 421},
		{"", "127.0.0.1.evil.example", "", 421},
		{"s3cret", "strata.example", "Bearer s3cret", 200},
		{"s3cret", "strata.example", "Basic c29tZWJvZHk6czNjcmV0", 200}, // somebody:s3cret
		{"s3cret", "127.0.0.1:9470", "", 401},
		{"s3cret", "127.0.0.1:9470", "Bearer ", 401},
		{"s3cret", "127.0.0.1:9470", "Bearer s3cre", 401},
		{"s3cret", "127.0.0.1:9470", "s3cret", 401},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Host = c.host
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		w := httptest.NewRecorder()
		guarded(c.token, inside).ServeHTTP(w, r)
		if w.Code != c.code || (w.Body.String() == "inside") != (c.code == 200) {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
}

// TestListenTLS asks as a stranger, and as who knows the certificate and the token; the
// certificate that is there is the one that is shown.
func TestListenTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := &listen{address: "127.0.0.1:0", token: filepath.Join(dir, "token"), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	if err := os.WriteFile(l.token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := certificate(t, l)
	var log bytes.Buffer
	b := view.New(nil)
	stop, err := l.serve(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), b, metrics.New(b, "test"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	at := regexp.MustCompile(`at=(https://\S+)/`).FindStringSubmatch(log.String())
	if at == nil {
		t.Fatal(log.String())
	}
	get := func(pool *x509.CertPool, path, token string) int {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
		r, err := http.NewRequest(http.MethodGet, at[1]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := client.Do(r)
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if code := get(x509.NewCertPool(), "/healthz", ""); code != 0 {
		t.Error("a stranger's certificate is trusted:", code)
	}
	if code := get(pool, "/healthz", ""); code != 200 {
		t.Error("healthz:", code)
	}
	if code := get(pool, "/readyz", ""); code != 503 {
		t.Error("readyz of one that has read no configuration:", code)
	}
	for _, path := range []string{"/", "/metrics", "/follow", "/strata.js"} {
		if code := get(pool, path, "other"); code != 401 {
			t.Error(path, "without the token:", code)
		}
	}
	if code := get(pool, "/metrics", "s3cret"); code != 200 {
		t.Error("metrics:", code)
	}
	if renewed := certificate(t, l); get(pool, "/healthz", "") != 0 || get(renewed, "/healthz", "") != 200 {
		t.Error("the certificate that was exchanged is not shown")
	}
}

// TestListenSlowly has strangers hold connections: a request that does not end is not
// waited for, who follows stays, and more connections than there may be are closed.
func TestListenSlowly(t *testing.T) {
	t.Parallel()
	b := view.New(nil)
	l := &listen{}
	l.turned()
	server := newServer(t.Context(), l.handler(b, metrics.New(b, "test"), "s3cret"), slog.New(slog.DiscardHandler))
	if server.ReadTimeout == 0 || server.WriteTimeout == 0 {
		t.Error("requests and answers may take for ever")
	}
	server.ReadTimeout, server.WriteTimeout = 300*time.Millisecond, 600*time.Millisecond
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const most = 3
	go server.Serve(&atMost{Listener: tcp, free: make(chan struct{}, most)})
	defer server.Close()
	ask := func(text string) net.Conn {
		c, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprint(c, text)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		return c
	}
	for range most {
		c := ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
		if text, err := io.ReadAll(c); err != nil || !bytes.Contains(text, []byte(" 401 ")) {
			t.Fatalf("a request that does not end: %v, %s", err, text)
		}
	}
	time.Sleep(time.Second) // for which the server waits before it closes them
	follower := bufio.NewReader(ask("GET /follow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n\r\n"))
	until := func(what string) {
		for {
			line, err := follower.ReadString('\n')
			if err != nil {
				t.Fatalf("%s is not told: %v", what, err)
			}
			if strings.Contains(line, what) {
				return
			}
		}
	}
	until("data: ")
	time.Sleep(time.Second) // longer than anybody else may take
	b.Observe(watch.Broken{Err: errors.New("news")})
	until("news")
	ask("")
	ask("")
	if n, err := ask("").Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection more than there may be: %v", err)
	}
}

// certificate writes a new one, and returns who trusts it.
func certificate(t *testing.T, l *listen) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, is, is, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, text := range map[string][]byte{l.cert: cert, l.key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}
