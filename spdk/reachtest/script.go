package reachtest

import (
	"net"
	"os/exec"
	"testing"
	"time"
)

// StartScript runs SPDK's own proxy, at the path of its
// scripts/rpc_http_proxy.py, with python3 and returns where it listens.
func StartScript(tb testing.TB, script, socket, user, password string) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	addr := l.Addr().String()
	host, port, _ := net.SplitHostPort(addr)
	l.Close()
	cmd := exec.Command("python3", script, host, port, user, password, "-s", socket)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			nc.Close()
			return addr
		}
		if time.Now().After(until) {
			tb.Fatal(err)
		}
	}
}
