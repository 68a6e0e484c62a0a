package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// stuckTarget answers as SPDK does that has a controller which never comes back: another path can
// be attached, and by that its bdev is there; then the first can go.
type stuckTarget struct {
	name  string
	apart bool // what the other path leads to is none of the bdev's

	mu    sync.Mutex
	paths []spdk.ControllerPath
	calls []string
}

func (s *stuckTarget) serve(c net.Conn) {
	defer c.Close()
	in, out := json.NewDecoder(bufio.NewReader(c)), json.NewEncoder(c)
	for {
		var r struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Name  string `json:"name"`
				Multi string `json:"multipath"`
				Addr  string `json:"traddr"`
				Port  string `json:"trsvcid"`
			} `json:"params"`
		}
		if in.Decode(&r) != nil {
			return
		}
		var result any = true
		s.mu.Lock()
		switch r.Method {
		case "bdev_nvme_get_controllers":
			result = []spdk.Controller{{Name: s.name, Paths: s.paths}}
		case "bdev_get_bdevs":
			ways := make([]spdk.NVMeInfo, len(s.paths))
			if s.apart {
				ways = ways[:1]
			}
			result = []spdk.Bdev{{Name: r.Params.Name, BlockSize: 4096, Driver: spdk.Driver{NVMe: ways}}}
		case "bdev_nvme_attach_controller":
			s.calls = append(s.calls, "attach "+r.Params.Port+" "+r.Params.Multi)
			s.paths = append(s.paths, path("enabled", r.Params.Addr, r.Params.Port))
			result = []string{}
		case "bdev_nvme_detach_controller":
			s.calls = append(s.calls, "detach "+r.Params.Port)
			s.paths = slices.DeleteFunc(s.paths, func(p spdk.ControllerPath) bool { return p.Trid.TrSvcID == r.Params.Port })
		}
		s.mu.Unlock()
		if out.Encode(map[string]any{"jsonrpc": "2.0", "id": r.ID, "result": result}) != nil {
			return
		}
	}
}

// client reaches it.
func (s *stuckTarget) client(t *testing.T) *spdk.Client {
	t.Helper()
	target, err := spdk.New("unix:///n1", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go s.serve(far)
		return near, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func path(state, address, port string) spdk.ControllerPath {
	return spdk.ControllerPath{State: state, Trid: spdk.Trid{TrType: "TCP", AdrFam: "IPv4", TrAddr: address, TrSvcID: port}}
}

// quiet is a listener that nobody connects to.
type quiet struct {
	at   net.TCPAddr
	once sync.Once
	over chan struct{}
}

func (q *quiet) Accept() (net.Conn, error) { <-q.over; return nil, net.ErrClosed }
func (q *quiet) Close() error              { q.once.Do(func() { close(q.over) }); return nil }
func (q *quiet) Addr() net.Addr            { return &q.at }

// TestDetour: a node that never comes back by the path that it has is led to another, and so is one that
// lost who served it before; the first goes only when the bdev has both.
func TestDetour(t *testing.T) {
	for _, c := range []struct {
		name  string
		state string
		worn  bool
		port  string // that strata was told to listen on
		apart bool
		calls []string
		fails string
	}{
		{"another path", "resetting", false, "", false, []string{"attach 7002 multipath", "detach 7001"}, ""},
		{"another path that leads elsewhere", "resetting", false, "", true, []string{"attach 7002 multipath"}, "start the target again"},
		{"served by another before", "enabled", true, "", false, []string{"attach 7002 multipath", "detach 7001"}, ""},
		{"served by another before, and on one port", "enabled", true, "7001", false, nil, ""},
		{"served by this one all the time", "enabled", false, "", false, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stuckTarget{apart: c.apart, paths: []spdk.ControllerPath{path(c.state, "192.0.2.1", "7001")}}
				target := s.client(t)
				defer target.Close()
				l := Lend{Target: target, Of: "lab", Node: "n1", Name: lineage.Staging{Volume: lineage.Volume{Name: "db", ID: "k3xq"}, From: "aaaa", Epoch: 3, MiB: 64}, Block: 4096, Bound: 120}
				s.name = l.Of.ImageController(l.Name.Volume)
				is := &lent{target: &nvmetcp.Target{}, at: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7001}, worn: c.worn}
				a := &Archives{Net: &Net{Listen: func(context.Context) (net.Listener, error) {
					return &quiet{at: net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7002}, over: make(chan struct{})}, nil
				}}}
				if c.port != "" {
					a.Listen = net.JoinHostPort("192.0.2.1", c.port)
				}
				a.lends.all = map[lineage.NQN]*lent{l.Of.ImageNQN(l.Name.Volume): is}
				defer is.target.Close()
				err := a.Lend(t.Context(), l)
				if c.fails == "" && err != nil || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
					t.Errorf("%v, want %q", err, c.fails)
				}
				if !slices.Equal(s.calls, c.calls) {
					t.Errorf("%q, want %q", s.calls, c.calls)
				}
				if (is.at.Port == 7002) != (len(c.calls) > 0) {
					t.Errorf("it is taken to be looked for at %s", is.at)
				}
				again := a.Lend(t.Context(), l) // as it is
				if (again == nil) != (err == nil) || !slices.Equal(s.calls, c.calls) {
					t.Errorf("again: %v, %q", again, s.calls)
				}
			})
		})
	}
}

// TestLetGo: what a node looks for and nothing reads is taken away, unless somebody serves it: the
// node is connected, or the place is taken.
func TestLetGo(t *testing.T) {
	for _, c := range []struct {
		name, state string
		taken       bool
		calls       []string
	}{
		{"nobody serves it", "reconnect_is_delayed", false, []string{"detach "}},
		{"it is served", "enabled", false, nil},
		{"somebody else listens there", "reconnect_is_delayed", true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stuckTarget{paths: []spdk.ControllerPath{path(c.state, "192.0.2.1", "7001")}}
				target := s.client(t)
				defer target.Close()
				l := Lend{Target: target, Of: "lab", Node: "n1", Name: lineage.Staging{Volume: lineage.Volume{Name: "db", ID: "k3xq"}}}
				s.name = l.Of.ImageController(l.Name.Volume)
				a := &Archives{Net: &Net{ListenAt: func(_ context.Context, at string) (net.Listener, error) {
					if at != "192.0.2.1:7001" || c.taken {
						return nil, errors.New("address already in use")
					}
					return &quiet{over: make(chan struct{})}, nil
				}}}
				if err := a.LetGo(t.Context(), l); (err != nil) != c.taken {
					t.Error(err)
				}
				if !slices.Equal(s.calls, c.calls) {
					t.Errorf("%q, want %q", s.calls, c.calls)
				}
			})
		})
	}
}
