package sim

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

// mirror is a RAID1 of a local leg on n1 and a remote one on n2, exported to
// a host.
type mirror struct {
	c      *Cluster
	ts     []*Target
	ks     []*client
	legs   [2]string
	device *Namespace
}

func newMirror(t *testing.T, o Options) *mirror {
	t.Helper()
	m := &mirror{}
	m.c, m.ts, m.ks = cluster(t, o, 2)
	m.legs = [2]string{mkLvol(m.ks[0], "db", 64), mkLvol(m.ks[1], "db", 64)}
	nqn := mkLink(m.ks[1], m.ks[0], "n2", "4421")
	m.ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": m.legs[1], "nsid": 1}})
	time.Sleep(100 * time.Millisecond)
	m.ks[0].must("bdev_raid_create", M{"name": "db", "raid_level": "raid1", "base_bdevs": m.legs[:]})
	mkExport(m.ks[0], nqnBase+"db", "4420", "db", "11111111-2222-3333-4444-555555555555")
	conn, err := m.c.Host(nqnBase+"h").Connect("127.0.0.1", "4420", nqnBase+"db")
	if err != nil {
		t.Fatal(err)
	}
	if m.device, err = conn.Namespace(1); err != nil {
		t.Fatal(err)
	}
	return m
}

// write takes how long a host's write takes.
func (m *mirror) write(t *testing.T) time.Duration {
	t.Helper()
	from := time.Now()
	if err := m.device.WriteAt(within(t, 5*time.Minute), filled(4096, 1), 0); err != nil {
		t.Fatalf("host error: %v", err)
	}
	return time.Since(from)
}

func (m *mirror) state() string {
	var cs []struct {
		Ctrlrs []struct{ State string }
	}
	m.ks[0].into(&cs, "bdev_nvme_get_controllers", nil)
	if len(cs) == 0 {
		return ""
	}
	return cs[0].Ctrlrs[0].State
}

type raidInfo struct {
	Name, State string
	Discovered  int `json:"num_base_bdevs_discovered"`
	Process     json.RawMessage
	Bases       []struct {
		Name       *string
		UUID       string
		Configured bool `json:"is_configured"`
	} `json:"base_bdevs_list"`
}

func raids(k *client) []raidInfo {
	k.t.Helper()
	var rs []raidInfo
	k.into(&rs, "bdev_raid_get_bdevs", M{"category": "all"})
	return rs
}

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-want/10 || got > want+want/10+300*time.Millisecond {
		t.Errorf("%s took %v, want about %v", what, got, want)
	}
}

var real = Options{Tick: 4 * time.Millisecond}

func TestPeerKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ts[1].Stop()
		time.Sleep(time.Second)
		if s := m.state(); s != "reconnect_is_delayed" {
			t.Errorf("state %q", s)
		}
		if r := raids(m.ks[0])[0]; r.State != "online" || r.Discovered != 2 {
			t.Errorf("the RAID dropped the leg at once: %+v", r)
		}
		near(t, "the stall", m.write(t)+time.Second, 10*time.Second)
		time.Sleep(6 * time.Second)
		if s := m.state(); s != "" {
			t.Errorf("controller is %q after ctrlr_loss_timeout_sec", s)
		}
		if b := raids(m.ks[0])[0].Bases[1]; b.Name != nil || b.Configured {
			t.Errorf("slot is %+v", b)
		}
	})
}

func TestPeerBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ts[1].Stop()
		time.Sleep(time.Second)
		if err := m.ts[1].Restart(); err != nil {
			t.Fatal(err)
		}
		k := dial(t, m.ts[1])
		prepare(k)
		k.must("nvmf_create_subsystem", M{"nqn": nqnBase + "n2", "allow_any_host": true})
		k.must("nvmf_subsystem_add_ns", M{"nqn": nqnBase + "n2", "namespace": M{"bdev_name": m.legs[1], "nsid": 1}})
		k.must("nvmf_subsystem_add_listener", M{"nqn": nqnBase + "n2", "listen_address": addr("4421")})
		if d := m.write(t); d > 3*time.Second {
			t.Errorf("stalled for %v", d)
		}
		if m.state() != "enabled" || raids(m.ks[0])[0].Discovered != 2 {
			t.Error("the leg is not back")
		}
		if content(t, m.ts[1], m.legs[1], 0, 1)[0] != 1 {
			t.Error("the write did not reach the leg")
		}
	})
}

func TestRetryCountZeroDropsLegAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		k := m.ks[0]
		k.refuse(-1, "RPC not permitted with nvme controllers already attached", "bdev_nvme_set_options", M{"bdev_retry_count": 0})
		k.must("bdev_nvme_detach_controller", M{"name": "n2"})
		k.must("bdev_nvme_set_options", M{"bdev_retry_count": 0})
		k.must("bdev_nvme_attach_controller", M{"name": "n2", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4421",
			"subnqn": nqnBase + "n2", "ctrlr_loss_timeout_sec": 15, "reconnect_delay_sec": 2, "fast_io_fail_timeout_sec": 10})
		k.must("bdev_raid_add_base_bdev", M{"raid_bdev": "db", "base_bdev": m.legs[1]})
		time.Sleep(5 * time.Second)
		m.ts[1].Stop()
		if d := m.write(t); d > 300*time.Millisecond {
			t.Errorf("stalled for %v", d)
		}
	})
}

func TestNetworkGone(t *testing.T) {
	for ack, want := range map[int]time.Duration{10: 11 * time.Second, 13: 18 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			m := newMirror(t, real)
			m.ks[0].must("bdev_nvme_detach_controller", M{"name": "n2"})
			m.ks[0].must("bdev_nvme_set_options", M{"transport_ack_timeout": ack})
			m.ks[0].must("bdev_nvme_attach_controller", M{"name": "n2", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4421",
				"subnqn": nqnBase + "n2", "ctrlr_loss_timeout_sec": 15, "reconnect_delay_sec": 2, "fast_io_fail_timeout_sec": 10})
			m.ks[0].must("bdev_raid_add_base_bdev", M{"raid_bdev": "db", "base_bdev": m.legs[1]})
			time.Sleep(5 * time.Second)
			m.c.Partition("n1", "n2")
			near(t, "the stall", m.write(t), want)
		})
	}
}

// TestHungPeer: nothing notices, and only disabling the controller helps.
func TestHungPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ts[1].Freeze()
		done := make(chan time.Duration)
		go func() { done <- m.write(t) }()
		time.Sleep(time.Minute)
		select {
		case <-done:
			t.Fatal("the write went through")
		default:
		}
		// The barrier waits behind the stalled write.
		barrier := make(chan struct{})
		k := dial(t, m.ts[0])
		go func() {
			k.must("nvmf_subsystem_set_ns_ana_group", M{"nqn": nqnBase + "db", "nsid": 1, "anagrpid": 1})
			close(barrier)
		}()
		time.Sleep(time.Minute)
		select {
		case <-barrier:
			t.Fatal("the barrier did not wait")
		default:
		}
		m.ks[0].must("bdev_nvme_disable_controller", M{"name": "n2"})
		m.ks[0].must("bdev_nvme_disable_controller", M{"name": "n2"})
		near(t, "the stall", <-done, 2*time.Minute)
		<-barrier
		if raids(m.ks[0])[0].Discovered != 1 {
			t.Error("the leg was not dropped")
		}
		m.ks[0].must("bdev_nvme_detach_controller", M{"name": "n2"})
		if m.state() != "" {
			t.Error("the controller is still there")
		}
	})
}

func TestDetachFromHungPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ts[1].Freeze()
		from := time.Now()
		m.ks[0].refuse(-110, "Connection timed out", "bdev_nvme_detach_controller", M{"name": "n2"})
		near(t, "detaching", time.Since(from), 10*time.Second)
		if s := m.state(); s != "deleting" {
			t.Errorf("state %q", s)
		}
		from = time.Now()
		m.ks[0].refuse(-5, "Input/output error", "bdev_nvme_attach_controller", M{"name": "x", "trtype": "TCP", "adrfam": "IPv4",
			"traddr": "127.0.0.1", "trsvcid": "4421", "subnqn": nqnBase + "other"})
		near(t, "attaching", time.Since(from), 10*time.Second)
	})
}

// TestTimeoutHangsTheTarget: timeout_us makes a hung peer contagious.
func TestTimeoutHangsTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		m.ks[0].must("bdev_nvme_detach_controller", M{"name": "n2"})
		m.ks[0].must("bdev_nvme_set_options", M{"timeout_us": 1000000})
		m.ks[0].must("bdev_nvme_attach_controller", M{"name": "n2", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4421",
			"subnqn": nqnBase + "n2", "ctrlr_loss_timeout_sec": 15, "reconnect_delay_sec": 2, "fast_io_fail_timeout_sec": 10})
		m.ks[0].must("bdev_raid_add_base_bdev", M{"raid_bdev": "db", "base_bdev": m.legs[1]})
		time.Sleep(5 * time.Second)
		m.ts[1].Freeze()
		go m.device.WriteAt(t.Context(), filled(4096, 2), 0)
		time.Sleep(2 * time.Second)
		answered := make(chan struct{})
		go func() { m.ks[0].must("spdk_get_version", nil); close(answered) }()
		time.Sleep(100 * time.Second)
		select {
		case <-answered:
			t.Error("the target answered")
		default:
		}
		m.ts[1].Thaw()
		<-answered
	})
}
