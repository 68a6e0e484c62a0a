package contract_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"strata/spdk"
	"strata/spdk/contract"
	"strata/spdk/sim"
)

func TestStock(t *testing.T) { contract.Run(t, lab{sim.Stock}) }

func TestLonghorn(t *testing.T) { contract.Run(t, lab{sim.Longhorn}) }

// lab is of simulated targets in virtual time, new ones for every case.
type lab struct{ profile sim.Profile }

func (l lab) Do(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }

func (l lab) Slack() time.Duration { return 500 * time.Millisecond }

func (l lab) Recorder() *contract.Recorder { return nil }

func (l lab) Fresh(t *testing.T, n int) []contract.Target {
	t.Helper()
	c := sim.New(sim.Options{Tick: 4 * time.Millisecond, Profile: l.profile, Disks: map[string]int64{"/disk": 1 << 30, "/disk.copy": 1 << 30}})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	targets := make([]contract.Target, n)
	for i := range targets {
		x, err := c.Start("n"+string(rune('1'+i)), "")
		if err != nil {
			t.Fatal(err)
		}
		s := &simulated{Target: x, cluster: c, t: t, port: "442" + string(rune('1'+i))}
		s.nodes = n
		if s.client, err = spdk.New("unix:///"+x.Name(), spdk.Options{Timeout: time.Minute, Dial: s.dial}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.client.Close() })
		if err := s.client.Call(t.Context(), "nvmf_create_transport", contract.M{"trtype": "TCP"}, nil); err != nil {
			t.Fatal(err)
		}
		targets[i] = s
	}
	return targets
}

type simulated struct {
	*sim.Target
	cluster *sim.Cluster
	t       *testing.T
	client  *spdk.Client
	port    string
	nodes   int
}

func (s *simulated) dial(context.Context, string, string) (net.Conn, error) { return s.Dial() }

func (s *simulated) Dial() (net.Conn, error) {
	in, toTarget := net.Pipe()
	fromTarget, out := net.Pipe()
	go s.Serve(duplex{in, out})
	return duplex{fromTarget, toTarget}, nil
}

// duplex is a connection of two pipes, of which each can end by itself.
type duplex struct {
	net.Conn
	to net.Conn
}

func (d duplex) Write(p []byte) (int, error) { return d.to.Write(p) }
func (d duplex) CloseWrite() error           { return d.to.Close() }
func (d duplex) Close() error                { return errors.Join(d.to.Close(), d.Conn.Close()) }

func (d duplex) SetDeadline(t time.Time) error {
	return errors.Join(d.Conn.SetDeadline(t), d.to.SetDeadline(t))
}

func (s *simulated) Client() *spdk.Client { return s.client }
func (s *simulated) Disk() string         { return "/disk" }
func (s *simulated) Copy(to contract.Target) string {
	if err := s.cluster.CopyDisk(s.Name(), s.Disk(), to.(*simulated).Name(), "/disk.copy"); err != nil {
		s.t.Fatal(err)
	}
	return "/disk.copy"
}

func (s *simulated) Address() string { return "127.0.0.1" }
func (s *simulated) Port() string    { return s.port }
func (s *simulated) Kill()           { s.Stop() }

func (s *simulated) Vanish(on bool) bool {
	for i := range s.nodes {
		if other := "n" + string(rune('1'+i)); other != s.Name() && on {
			s.cluster.Partition(s.Name(), other)
		} else if other != s.Name() {
			s.cluster.Heal(s.Name(), other)
		}
	}
	return true
}

func (s *simulated) Crashed() bool {
	time.Sleep(time.Second)
	return !s.Running()
}

func (s *simulated) Start() {
	if err := s.Restart(); err != nil {
		s.t.Fatal(err)
	}
}
