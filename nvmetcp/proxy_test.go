package nvmetcp

import (
	"context"
	"net"
	"testing"
	"time"
)

// silentAfter dials connections on which the target falls silent a while, in
// milliseconds, after they were made.
func silentAfter(t testing.TB, ms int) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return &silent{Conn: nc, from: time.Now().Add(time.Duration(ms) * time.Millisecond), end: make(chan struct{})}, nil
	}
}

// silent is a connection on which nothing arrives from some time on.
type silent struct {
	net.Conn
	from time.Time
	end  chan struct{}
}

func (s *silent) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == nil && time.Now().After(s.from) {
		<-s.end
		return 0, net.ErrClosed
	}
	return n, err
}

func (s *silent) Close() error {
	select {
	case <-s.end:
	default:
		close(s.end)
	}
	return s.Conn.Close()
}
