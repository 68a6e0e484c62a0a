package sim

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"strata/nvmetcp"
)

// image is a disk whose blocks say where they are.
type image struct{}

func (image) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		p[i] = byte((off + int64(i)) / 4096)
	}
	return len(p), nil
}

func (image) WriteAt(p []byte, off int64) (int, error) { return 0, nvmetcp.InvalidField }

// TestAbroadAgain: a host reads through a clone of what is served from elsewhere. While that
// is away its reads wait, and when it is back in its place they go on, without an error.
func TestAbroadAgain(t *testing.T) {
	s := &street{at: map[string]string{}}
	const at = "127.0.0.1:4421"
	dialer := func(ctx context.Context, address string) (net.Conn, error) {
		s.mu.Lock()
		real, open := s.at[address]
		s.mu.Unlock()
		if !open {
			return nil, syscall.ECONNREFUSED
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", real)
	}
	_, _, ks := cluster(t, Options{NVMe: s.listen, Dial: dialer}, 1)
	k := ks[0]
	const id = "11111111-2222-4333-8444-000000000001"
	served := func() *nvmetcp.Target {
		l, err := s.listen("image", at)
		if err != nil {
			t.Fatal(err)
		}
		d := &nvmetcp.Disk{NQN: nqnBase + "image", Hosts: []string{nqnBase + "n1"}, Namespace: nvmetcp.Namespace{
			UUID: [16]byte{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33, 0x84, 0x44, 15: 1}, BlockSize: 4096, Size: 64 << 20, Backend: image{}}}
		x := &nvmetcp.Target{Connect: d.Connect}
		go x.Serve(l)
		t.Cleanup(func() { x.Close() })
		return x
	}
	first := served()
	k.must("bdev_nvme_attach_controller", M{"name": "image", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4421",
		"subnqn": nqnBase + "image", "hostnqn": nqnBase + "n1", "ctrlr_loss_timeout_sec": -1, "reconnect_delay_sec": 1, "fast_io_fail_timeout_sec": 60})
	k.must("bdev_lvol_clone_bdev", M{"bdev": id, "lvs_name": "lvs0", "clone_name": "clone"})
	nqn := nqnBase + "db"
	k.must("nvmf_create_subsystem", M{"nqn": nqn, "allow_any_host": true, "serial_number": "S1"})
	k.must("nvmf_subsystem_add_ns", M{"nqn": nqn, "namespace": M{"bdev_name": "lvs0/clone", "nsid": 1}})
	k.must("nvmf_subsystem_add_listener", M{"nqn": nqn, "listen_address": addr("4420")})
	h, err := s.host(t, "127.0.0.1:4420", nqnBase+"h", make(chan nvmetcp.Notice, 16))
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Open(within(t, time.Minute), 1)
	if err != nil {
		t.Fatal(err)
	}
	reads := func(block int64) {
		t.Helper()
		got := make([]byte, 4096)
		if err := d.ReadAt(within(t, time.Minute), got, block*4096); err != nil {
			t.Fatal(err)
		}
		if want := bytes.Repeat([]byte{byte(block)}, 4096); !bytes.Equal(got, want) {
			t.Errorf("block %d reads as block %d", block, got[0])
		}
	}
	reads(3)
	s.mu.Lock()
	delete(s.at, at)
	s.mu.Unlock()
	first.Close()
	var done atomic.Bool
	waited := make(chan error, 1)
	go func() {
		err := d.ReadAt(context.Background(), make([]byte, 4096), 7*4096)
		done.Store(true)
		waited <- err
	}()
	time.Sleep(300 * time.Millisecond)
	if done.Load() {
		t.Fatalf("a read ends while nobody serves it: %v", <-waited)
	}
	served()
	select {
	case err := <-waited:
		if err != nil {
			t.Errorf("a read that waited: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("a read still waits when it is served again")
	}
	reads(9)
}
