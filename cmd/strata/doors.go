package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
)

// doors are where hosts reach simulated targets on the network of this machine.
type doors struct {
	out io.Writer

	mu      sync.Mutex
	instead map[string]string // addresses of other machines, and what stands for them
}

// dialTCP is how a simulated target reaches what is not simulated.
func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// listen listens at an address, or, if that is not one of this machine, at a port of
// the loopback, the same one each time.
func (d *doors) listen(target, addr string) (net.Listener, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, known := d.instead[addr]
	if !known {
		l, err := net.Listen("tcp", addr)
		if !errors.Is(err, syscall.EADDRNOTAVAIL) {
			if err == nil {
				fmt.Fprintf(d.out, "hosts reach %s at %s\n", target, addr)
			} else {
				fmt.Fprintf(d.out, "hosts cannot reach %s at %s, so it refuses that listener: %v\n", target, addr, err)
			}
			return l, err
		}
		at = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		fmt.Fprintf(d.out, "hosts cannot reach %s at %s, which stands for %s, so it refuses that listener: %v\n", target, at, addr, err)
		return nil, err
	}
	if d.instead == nil {
		d.instead = map[string]string{}
	}
	d.instead[addr] = l.Addr().String()
	fmt.Fprintf(d.out, "hosts reach %s at %s, which stands for %s: that is not an address of this machine\n", target, l.Addr(), addr)
	return l, nil
}
