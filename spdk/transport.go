package spdk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// endpoint is a parsed address.
type endpoint struct {
	scheme           string // unix, tcp, http, https or ssh
	network, address string // what is dialled, as package net wants it: the target, its proxy or its host
	user             string // of a proxy, "" for none, or of a host
	path             string // on a proxy or of the socket on a host, from the first slash on
}

const addressForms = "unix:///path, tcp://host:port, http://user@host:port, https://user@host:port or ssh://user@host/path"

var errPassword = errors.New("a password must not stand in an address")

// Parse reports whether addr names a target: unix:///path, tcp://host:port,
// http://user@host:port/path, https://user@host:port/path or
// ssh://user@host:port/path. User, port and path of a proxy and port of a host
// may be left out. Nothing in it is escaped, and no password is in it.
func Parse(addr string) error {
	_, err := parse(addr)
	return err
}

func parse(addr string) (endpoint, error) {
	e, err := parseURL(addr)
	if err != nil {
		return endpoint{}, fmt.Errorf("address %q: %w", RedactText(addr), err)
	}
	return e, nil
}

func parseURL(addr string) (endpoint, error) {
	scheme, rest, ok := strings.Cut(addr, "://")
	if !ok {
		return endpoint{}, errors.New("want " + addressForms)
	}
	if RedactText(addr) != addr {
		return endpoint{}, errPassword
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	user := ""
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		user, host = host[:i], host[i+1:]
	}
	e := endpoint{scheme: scheme, network: "tcp", user: user, path: path}
	switch scheme {
	case "unix":
		if !socketPath(rest) {
			return e, errors.New("want unix:// and an absolute path, as in unix:///var/tmp/spdk.sock")
		}
		e.network, e.address, e.path = "unix", rest, ""
		return e, nil
	case "tcp":
		if e.address = withPort(rest, ""); e.address == "" {
			return e, errors.New("want tcp://host:port, as in tcp://10.0.0.1:5260")
		}
		e.user, e.path = "", ""
		return e, nil
	case "http", "https":
		if e.address = withPort(host, map[string]string{"http": "80", "https": "443"}[scheme]); e.address == "" || strings.ContainsAny(path, "?# ") {
			return e, fmt.Errorf("want %[1]s://user@host:port, as in %[1]s://admin@10.0.0.1:8000", scheme)
		}
		return e, nil
	case "ssh":
		// Hosts' keys are kept under names in small letters.
		if e.address = withPort(strings.ToLower(host), "22"); e.address == "" || user == "" || !socketPath(path) {
			return e, errors.New("want ssh://user@host/path, as in ssh://root@10.0.0.1/var/tmp/spdk.sock")
		}
		return e, nil
	}
	return e, fmt.Errorf("unknown scheme %q, want %s", scheme, addressForms)
}

func socketPath(p string) bool { return strings.HasPrefix(p, "/") && !strings.HasSuffix(p, "/") }

// withPort returns host:port, with the given port if there is none, or "" if
// that is no address.
func withPort(hostPort, port string) string {
	if host, p, err := net.SplitHostPort(hostPort); err == nil {
		if host == "" || p == "" {
			return ""
		}
		return hostPort
	}
	host := strings.Trim(hostPort, "[]")
	if host == "" || port == "" || strings.ContainsAny(host, "[]/@ ") || strings.Contains(host, ":") != strings.HasPrefix(hostPort, "[") {
		return ""
	}
	return net.JoinHostPort(host, port)
}

// dialNet is how connections are made unless Options say otherwise.
func dialNet(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
