package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"strata/metrics"
	"strata/page"
	"strata/secret"
	"strata/view"
)

// listen is how a watch is seen from outside: metrics, health and a page over HTTP.
type listen struct {
	address   string
	token     string // file
	cert, key string

	alive atomic.Int64 // Unix nanoseconds when the loop last turned
}

func (l *listen) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.address, "listen", "", "serve a page, /metrics, /healthz and /readyz on `HOST:PORT`, such as 127.0.0.1:9470; off by default")
	cmd.Flags().StringVar(&l.token, "listen-token", "", "`FILE` with the token that who looks has to show, as bearer or as password")
	cmd.Flags().StringVar(&l.cert, "listen-cert", "", "serve over TLS with the certificates in `FILE`, read anew for every connection")
	cmd.Flags().StringVar(&l.key, "listen-key", "", "`FILE` with the key of --listen-cert")
}

// stuckAfter is after how long a loop that does not turn is stuck: it turns with every
// pulse of a node.
const stuckAfter = 30 * time.Second

// turned notes that the loop of the watch has turned.
func (l *listen) turned() { l.alive.Store(time.Now().UnixNano()) }

// check refuses what would let others in.
func (l *listen) check() error {
	if l.address == "" {
		if l.token+l.cert+l.key != "" {
			return fmt.Errorf("--listen-token, --listen-cert and --listen-key say how --listen serves; give --listen, too")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(l.address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; want HOST:PORT, such as 127.0.0.1:9470", l.address, err)
	}
	if (l.cert == "") != (l.key == "") {
		return fmt.Errorf("--listen-cert and --listen-key go together")
	}
	if ip := net.ParseIP(host); (ip == nil || !ip.IsLoopback()) && host != "localhost" && (l.token == "" || l.cert == "") {
		return fmt.Errorf("--listen %s: others reach that; give --listen-token, --listen-cert and --listen-key, or a loopback address such as 127.0.0.1:9470", l.address)
	}
	return nil
}

// serve serves until ctx ends; the address it listens on is logged.
func (l *listen) serve(ctx context.Context, log *slog.Logger, b *view.Board, m *metrics.Metrics) (stop func(), err error) {
	token := ""
	if l.token != "" {
		text, err := secret.ReadFile(secret.AtHome(l.token), secret.Most)
		if err != nil {
			return nil, fmt.Errorf("--listen-token: %w", err)
		}
		if token = strings.TrimSpace(string(text)); token == "" {
			return nil, fmt.Errorf("--listen-token %s: there is no token in it", l.token)
		}
	}
	var conf *tls.Config
	if l.cert != "" {
		load := func() (*tls.Certificate, error) { return secret.KeyPair(l.cert, l.key) }
		if _, err := load(); err != nil {
			return nil, fmt.Errorf("--listen-cert: %w", err)
		}
		conf = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() }}
	}
	at, err := net.Listen("tcp", l.address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	scheme := "http"
	at = &atMost{Listener: at, free: make(chan struct{}, connectionsMost)}
	if conf != nil {
		at, scheme = tls.NewListener(at, conf), "https"
	}
	log.Info("page and metrics are served", "at", scheme+"://"+at.Addr().String()+"/")
	l.turned()
	ctx, cancel := context.WithCancel(ctx)
	server := newServer(ctx, l.handler(b, m, token), log)
	go func() {
		if err := server.Serve(at); !errors.Is(err, http.ErrServerClosed) {
			log.Error("page and metrics are not served any more", "error", err.Error())
		}
	}()
	go b.Run(ctx)
	return func() {
		cancel() // who follows the page is let go
		server.Close()
	}, nil
}

// newServer makes one that nobody holds up: strangers reach it, too.
func newServer(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// connectionsMost is how many connections there may be at a time: each is a file of this
// process, which needs some to reach nodes.
const connectionsMost = 256

// atMost closes the connections that are too many.
type atMost struct {
	net.Listener
	free chan struct{} // an element for each that is open
}

// Accept is part of net.Listener.
func (l *atMost) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &counted{Conn: c, of: l}, nil
		default:
			c.Close()
		}
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	of   *atMost
	once sync.Once
}

// Close is part of net.Conn.
func (c *counted) Close() error {
	c.once.Do(func() { <-c.of.free })
	return c.Conn.Close()
}

func (l *listen) handler(b *view.Board, m *metrics.Metrics, token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if at := time.Unix(0, l.alive.Load()); time.Since(at) > stuckAfter {
			say(w, http.StatusServiceUnavailable, "the watch has not moved since "+at.UTC().Format(time.RFC3339))
			return
		}
		say(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch v := b.Now(); {
		case v.Config == nil:
			say(w, http.StatusServiceUnavailable, "the configuration has not been read yet")
		case v.Looked.IsZero() && v.Leads:
			say(w, http.StatusServiceUnavailable, "the nodes have not been looked at yet")
		case !v.Leads:
			say(w, http.StatusOK, "standing by") // for whom takes a token
		default:
			say(w, http.StatusOK, "ok")
		}
	})
	mux.Handle("GET /metrics", guarded(token, m.Handler()))
	mux.Handle("/", guarded(token, page.New(b, describe(), inLines[page.Data])))
	return mux
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

// guarded lets through who shows the token. Without one only this machine reaches the
// listener, but so does a page of somebody else's in a browser here, under a name that
// leads to this machine: so the name must be an address, or localhost.
func guarded(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token == "" {
			host := r.Host
			if h, _, err := net.SplitHostPort(host); err == nil {
				host = h
			}
			if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
				say(w, http.StatusMisdirectedRequest, "ask for this by address, or as localhost")
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		shown, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			_, shown, _ = r.BasicAuth()
		}
		if is := sha256.Sum256([]byte(shown)); subtle.ConstantTimeCompare(is[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="strata", charset="UTF-8"`)
			say(w, http.StatusUnauthorized, "show the token of --listen-token, as bearer or as password of any user")
			return
		}
		next.ServeHTTP(w, r)
	})
}
