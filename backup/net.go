package backup

import (
	"context"
	"net"
)

// Net is how nodes reach this process, and it them, where that is not by TCP.
type Net struct {
	Listen   func(context.Context) (net.Listener, error) // its address is a [net.TCPAddr]
	ListenAt func(ctx context.Context, address string) (net.Listener, error)
	Dial     func(ctx context.Context, address string) (net.Conn, error)
}

func (n *Net) dial() func(context.Context, string) (net.Conn, error) {
	if n == nil {
		return nil
	}
	return n.Dial
}
