package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"strata/nvmetcp"
	"strata/spdk"
)

// TestPeerLostAsItComes: a node's target is started again, and ends while another connects to
// it, when that has its admin queue and no I/O queue yet. That one is never done with it, whatever
// links do of a lost peer. An apply when the node is there again gets over it: the host goes on, and both
// replicas have what it wrote.
func TestPeerLostAsItComes(t *testing.T) {
	for name, links := range map[string]string{"drop": "{ctrlrLossTimeoutSec: 3, reconnectDelaySec: 1, fastIOFailTimeoutSec: 2}", "wait": waitLinks} {
		t.Run(name, func(t *testing.T) {
			l := NewLabOf(t, gib, "n1", "n2")
			l.Links = links
			l.Configure(waitVolume)
			l.Apply(0)
			w := l.StartWriter("db", 3, 2, 8)
			l.strand("n1", "n2")
			start := time.Now()
			l.Start("n2")
			l.Apply(0)
			t.Logf("the target was started and apply done in %v", time.Since(start).Round(time.Millisecond))
			t.Log(l.finish(w))
		})
	}
}

// strand kills the target of a node and has somebody be there in its place who shows a peer what
// it did, takes one connection, and ends when the peer is not done with connecting.
func (l *Lab) strand(peer, name string) {
	l.t.Helper()
	x := l.Targets[name]
	subs, err := x.client.GetSubsystems(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	v, nqn := shown{over: make(chan struct{})}, ""
	for _, s := range subs {
		if strings.Contains(s.NQN, ":e2e:"+name+":"+peer) {
			nqn = s.NQN
			v.of(l.t, x, s)
		}
	}
	if nqn == "" {
		l.t.Fatalf("%s shows %s nothing", name, peer)
	}
	l.Kill(name)
	var listener net.Listener
	Eventually(l.t, 10*time.Second, "the address of "+name+" is free", func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(x.Address, x.Port))
		return err
	})
	defer listener.Close()
	target := &nvmetcp.Target{Connect: func(s *nvmetcp.Session) (nvmetcp.Controller, error) {
		if s.Subsystem() != nqn {
			return nvmetcp.Controller{}, nvmetcp.ErrSubsystem
		}
		return nvmetcp.Controller{ID: uint16(1 + rand.IntN(0xff00)), Serial: "STRATA", Model: "strata", MaxNamespaces: 128, View: v}, nil
	}}
	defer target.Close()
	defer close(v.over)
	c, err := listener.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	listener.Close()
	go target.ServeConn(c)
	since := time.Now()
	Eventually(l.t, time.Minute, peer+" is not done with connecting", func() error {
		all, err := l.Targets[peer].client.GetControllers(l.t.Context())
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.Paths[0].Trid.SubNQN == nqn && c.Paths[0].State == "resetting" {
				if time.Since(since) > 5*time.Second {
					return nil
				}
				return fmt.Errorf("it is since %v", since)
			}
		}
		since = time.Now()
		return fmt.Errorf("the controllers are %v", all)
	})
}

// shown are namespaces whose I/O is never done.
type shown struct {
	all  []nvmetcp.Namespace
	over chan struct{}
}

func (v *shown) of(t testing.TB, x *Target, s spdk.Subsystem) {
	for _, ns := range s.Namespaces {
		b, err := x.client.GetBdev(t.Context(), ns.BdevName)
		if err != nil {
			t.Fatal(err)
		}
		v.all = append(v.all, nvmetcp.Namespace{ID: ns.NSID, UUID: uuid.MustParse(ns.UUID), BlockSize: int(b.BlockSize), Size: int64(b.Size()), Backend: *v})
	}
}

func (v shown) Namespaces() []nvmetcp.Namespace { return v.all }

func (v shown) Namespace(id uint32) (nvmetcp.Namespace, bool) {
	for _, n := range v.all {
		if n.ID == id {
			return n, true
		}
	}
	return nvmetcp.Namespace{}, false
}

var errOver = errors.New("it is over")

func (v shown) ReadAt([]byte, int64) (int, error)  { <-v.over; return 0, errOver }
func (v shown) WriteAt([]byte, int64) (int, error) { <-v.over; return 0, errOver }
