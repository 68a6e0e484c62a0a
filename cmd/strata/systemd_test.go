package main

import (
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"strata/apply"
	"strata/plan"
	"strata/schema"
	"strata/watch"
)

// TestSystemd hears what a watch tells systemd.
func TestSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	heard := func() (all []string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			n, err := conn.Read(buf)
			if err != nil {
				return all
			}
			all = append(all, string(buf[:n]))
		}
	}
	env := map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "30000000"}
	s := newSystemd(func(key string) string { return env[key] })
	s.observe(watch.Loaded{Config: &schema.Config{Volumes: make([]*schema.Volume, 2)}})
	s.observe(watch.Looked{})
	s.observe(watch.Looked{})
	s.observe(watch.Ended{Result: &apply.Result{Plan: &plan.Plan{}, Converged: true}})
	if got, want := heard(), []string{"READY=1", "STATUS=2 volumes as configured"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	s.observe(watch.Ended{Result: &apply.Result{Stopped: true}}) // it was ended before it had a plan
	if got := heard(); len(got) > 0 {
		t.Errorf("a run that was ended early is told as %q", got)
	}
	s.alive()
	s.alive()
	s.told = s.told.Add(-15 * time.Second) // so long passes
	s.alive()
	if got, want := heard(), []string{"WATCHDOG=1", "WATCHDOG=1"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	other := newSystemd(func(key string) string { return env[key] })
	other.observe(watch.StandsBy{Why: "standing by: ops has the seat"})
	other.observe(watch.Looked{})
	if got, want := heard(), []string{"READY=1", "STATUS=standing by: ops has the seat"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	nobody := newSystemd(func(string) string { return "" })
	nobody.alive()
	nobody.observe(watch.Looked{})
	if got := heard(); len(got) > 0 {
		t.Errorf("heard %q from who was not asked", got)
	}
}
