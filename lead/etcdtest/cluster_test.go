// Package etcdtest has etcd's server elect watches. It is a module of its own, for what
// that server needs is no part of strata.
package etcdtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcd is a cluster of three members in this process.
type etcd struct {
	members []*member
}

type member struct {
	server *embed.Etcd
	cfg    *embed.Config
	client string // host:port that it listens on
}

func start(t *testing.T, secure *transport.TLSInfo) *etcd {
	t.Helper()
	scheme := "http"
	if secure != nil {
		scheme = "https"
	}
	c := &etcd{}
	var initial []string
	for i := range 3 {
		m := &member{client: free(t), cfg: embed.NewConfig()}
		peers := "http://" + free(t)
		initial = append(initial, fmt.Sprintf("m%d=%s", i, peers))
		m.cfg.ListenPeerUrls, m.cfg.AdvertisePeerUrls = urls(peers), urls(peers)
		c.members = append(c.members, m)
	}
	for i, m := range c.members {
		dir, err := os.MkdirTemp("", "etcd")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		cfg := m.cfg
		cfg.Name, cfg.Dir, cfg.LogLevel, cfg.Logger = fmt.Sprintf("m%d", i), dir, "fatal", "zap"
		cfg.UnsafeNoFsync = true
		cfg.ListenClientUrls = urls(scheme + "://" + m.client)
		cfg.AdvertiseClientUrls = cfg.ListenClientUrls
		cfg.InitialCluster, cfg.InitialClusterToken = strings.Join(initial, ","), t.Name()
		if secure != nil {
			cfg.ClientTLSInfo = *secure
		}
		m.start(t)
		t.Cleanup(m.kill)
	}
	c.ready(t)
	return c
}

// start starts a member, also one that was killed.
func (m *member) start(t *testing.T) {
	t.Helper()
	var err error
	if m.server, err = embed.StartEtcd(m.cfg); err != nil {
		t.Fatal(err)
	}
}

// ready waits until all members serve.
func (c *etcd) ready(t *testing.T) {
	t.Helper()
	for _, m := range c.members {
		select {
		case <-m.server.Server.ReadyNotify():
		case <-time.After(time.Minute):
			t.Fatal("etcd does not start")
		}
	}
}

// isolate has a member reach none of the others, and none of them it.
func (c *etcd) isolate(m *member) {
	for _, other := range c.members {
		if other != m {
			other.server.Server.CutPeer(m.server.Server.MemberID())
			m.server.Server.CutPeer(other.server.Server.MemberID())
		}
	}
}

// kill ends a member at once.
func (m *member) kill() {
	if m.server != nil {
		m.server.Server.HardStop()
		m.server.Close()
		m.server = nil
	}
}

// leader is the member that leads etcd itself.
func (c *etcd) leader(t *testing.T) *member {
	t.Helper()
	for range 100 {
		for _, m := range c.members {
			if m.server != nil && m.server.Server.Leader() == m.server.Server.MemberID() {
				return m
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("etcd has no leader")
	return nil
}

func urls(text string) []url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return []url.URL{*u}
}

// free is an address on loopback that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
