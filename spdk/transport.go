package spdk

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// endpoint is a parsed address, as package net wants it.
type endpoint struct {
	network, address string
}

// Parse reports whether addr names a target: unix:///path or tcp://host:port.
func Parse(addr string) error {
	_, err := parse(addr)
	return err
}

func parse(addr string) (endpoint, error) {
	scheme, rest, ok := strings.Cut(addr, "://")
	if !ok {
		return endpoint{}, fmt.Errorf("address %q: want unix:///path or tcp://host:port", addr)
	}
	switch scheme {
	case "unix":
		if !strings.HasPrefix(rest, "/") || strings.HasSuffix(rest, "/") {
			return endpoint{}, fmt.Errorf("address %q: want unix:// and an absolute path, as in unix:///var/tmp/spdk.sock", addr)
		}
		return endpoint{"unix", rest}, nil
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil || host == "" || port == "" {
			return endpoint{}, fmt.Errorf("address %q: want tcp://host:port, as in tcp://10.0.0.1:5260", addr)
		}
		return endpoint{"tcp", rest}, nil
	}
	return endpoint{}, fmt.Errorf("address %q: unknown scheme %q, want unix or tcp", addr, scheme)
}

// dialNet is how connections are made unless Options say otherwise.
func dialNet(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
