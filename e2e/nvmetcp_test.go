package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"strata/nvmetcp"
)

const oursNQN = "nqn.2026-01.org.example:ours"

// ram is a disk in memory that nvmetcp serves.
type ram struct {
	mu     sync.RWMutex
	data   []byte
	writes map[int]int // by size
}

func (r *ram) ReadAt(p []byte, off int64) (int, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return copy(p, r.data[off:]), nil
}

func (r *ram) WriteAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writes != nil {
		r.writes[len(p)]++
	}
	return copy(r.data[off:], p), nil
}

// ours is a target of ours that serves a backend to HostNQN, which needs the first of
// keys, if there are any; it ends with the test.
func ours(t testing.TB, target *nvmetcp.Target, size int64, backend nvmetcp.Backend, keys ...*nvmetcp.Key) Portal {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	disk := &nvmetcp.Disk{NQN: oursNQN, Hosts: []string{HostNQN}, Namespace: nvmetcp.Namespace{
		UUID: [16]byte(Pattern(uint64(size), 16)), BlockSize: 4096, Size: size, Backend: backend}}
	if len(keys) == 2 {
		disk.HostKey, disk.TargetKey = keys[0], keys[1]
	}
	target.Connect = disk.Connect
	go target.Serve(l)
	t.Cleanup(func() { target.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return Portal{"127.0.0.1", port}
}

// attachment has SPDK attach what is at a portal as bdev hostn1.
func attachment(p Portal, more ...string) []call {
	params := map[string]any{"name": "host", "trtype": "TCP", "adrfam": "IPv4", "traddr": p.Address, "trsvcid": p.Port, "subnqn": oursNQN, "hostnqn": HostNQN}
	for _, m := range more {
		params[m] = true
	}
	return []call{{"bdev_nvme_attach_controller", params}}
}

// attach has a target attach it as bdev NAMEn1.
func (x *Target) attach(name string, p Portal, hostNQN string) error {
	_, err := x.Call("bdev_nvme_attach_controller", fmt.Sprintf(`{"name": %q, "trtype": "TCP", "adrfam": "IPv4", "traddr": %q, "trsvcid": %q, "subnqn": %q, "hostnqn": %q}`,
		name, p.Address, p.Port, oursNQN, hostNQN))
	return err
}

// store makes an lvstore with clusters of 1 MiB, and in it a snapshot of so many that
// have data, every second one of a larger lvol; it returns what a copy of it holds.
func (x *Target) store(clusters int) (data []byte) {
	x.t.Helper()
	x.Must("bdev_aio_create", fmt.Sprintf(`{"name": "disk", "filename": %q, "block_size": 4096}`, x.Disk))
	x.Must("bdev_lvol_create_lvstore", `{"bdev_name": "disk", "lvs_name": "lvs", "cluster_sz": 1048576}`)
	x.Must("bdev_lvol_create", fmt.Sprintf(`{"lvs_name": "lvs", "lvol_name": "vol", "size_in_mib": %d, "thin_provision": true}`, 2*clusters))
	x.Must("nvmf_create_transport", `{"trtype": "TCP"}`)
	x.offer("lvs/vol")
	h := x.host("", nvmetcp.HostOptions{})
	d, err := h.Open(x.t.Context(), 1)
	if err != nil {
		x.t.Fatal(err)
	}
	data = make([]byte, 2*clusters*mib)
	for i := range clusters {
		part := data[2*i*mib : (2*i+1)*mib]
		copy(part, Pattern(uint64(i), mib))
		if err := d.WriteAt(x.t.Context(), part, int64(2*i)*mib); err != nil {
			x.t.Fatal(err)
		}
	}
	h.Close()
	x.Must("bdev_lvol_snapshot", `{"lvol_name": "lvs/vol", "snapshot_name": "layer"}`)
	return data
}

// offer shows a bdev to HostNQN.
func (x *Target) offer(bdev string) {
	x.t.Helper()
	x.Must("nvmf_create_subsystem", `{"nqn": "`+oursNQN+`"}`)
	x.Must("nvmf_subsystem_add_host", `{"nqn": "`+oursNQN+`", "host": "`+HostNQN+`"}`)
	x.Must("nvmf_subsystem_add_ns", fmt.Sprintf(`{"nqn": %q, "namespace": {"bdev_name": %q}}`, oursNQN, bdev))
	x.Must("nvmf_subsystem_add_listener", fmt.Sprintf(`{"nqn": %q, "listen_address": {"trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": %q}}`, oursNQN, x.Port))
}

// host connects ours to it, as HostNQN if no other name is given.
func (x *Target) host(nqn string, o nvmetcp.HostOptions) *nvmetcp.Host {
	x.t.Helper()
	o.HostNQN, o.Subsystem = HostNQN, oursNQN
	if nqn != "" {
		o.HostNQN = nqn
	}
	h, err := nvmetcp.Connect(x.t.Context(), "127.0.0.1:"+x.Port, o)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { h.Close() })
	return h
}

// TestOurTarget: SPDK attaches to a target of ours, copies a layer to it, writes and
// verifies, whether data comes in capsules or is asked for, and with digests.
func TestOurTarget(t *testing.T) {
	l := NewLabOf(t, gib, "n1")
	n1 := l.Targets["n1"]
	layer := n1.store(16)
	for _, c := range []struct {
		name   string
		target *nvmetcp.Target
		most   int
	}{
		{"in capsules", &nvmetcp.Target{}, mib},
		{"asked for", &nvmetcp.Target{InCapsule: -1}, mib},
		{"asked for in parts", &nvmetcp.Target{InCapsule: 8192, AskFor: 64 << 10, MaxTransfer: 256 << 10}, 256 << 10},
	} {
		disk := &ram{data: make([]byte, len(layer)), writes: map[int]int{}}
		at := ours(t, c.target, int64(len(layer)), disk)
		if err := n1.attach("stranger", at, HostNQN+"0"); err == nil {
			t.Errorf("%s: a host that is not listed is let in", c.name)
		}
		if err := n1.attach("ours", at, HostNQN); err != nil {
			t.Fatal(err)
		}
		n1.Must("bdev_wait_for_examine", "")
		n1.shallowCopy("lvs/layer", "oursn1", 16)
		n1.Must("bdev_nvme_detach_controller", `{"name": "ours"}`)
		if !bytes.Equal(disk.data, layer) {
			t.Errorf("%s: what was copied is not the layer", c.name)
		}
		if want := map[int]int{c.most: 16 * mib / c.most}; fmt.Sprint(disk.writes) != fmt.Sprint(want) {
			t.Errorf("%s: writes arrived as %v, want %v", c.name, disk.writes, want)
		}
		for _, digests := range [][]string{nil, {"hdgst", "ddgst"}} {
			want := Pattern(7, 3*mib)
			l.write(attachment(at, digests...), 5, want)
			if !bytes.Equal(disk.data[5*mib:8*mib], want) {
				t.Errorf("%s, digests %v: spdk_dd has not written what it was given", c.name, digests)
			}
			l.compare(attachment(at, digests...), "hostn1", 5, want, "our target")
		}
	}

	if l.bin.Bdevperf == "" {
		t.Log("without BDEVPERF nothing is verified under load")
		return
	}
	at := ours(t, &nvmetcp.Target{}, 64*mib, &ram{data: make([]byte, 64*mib)})
	for _, block := range []string{"4096", "131072", "1048576"} {
		cmd := l.program(l.bin.Bdevperf, attachment(at, "hdgst", "ddgst"), "-q", "16", "-o", block, "-w", "verify", "-t", "3")
		out, err := cmd.CombinedOutput()
		tidy(cmd.Process.Pid)
		if err != nil || !strings.Contains(string(out), "Total") {
			t.Errorf("bdevperf with blocks of %s: %v\n%s", block, err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "Total") {
				t.Logf("bdevperf verifies, blocks of %s: %s", block, strings.TrimSpace(line))
			}
		}
	}
}

// TestOurHost: a host of ours connects to SPDK, and what one writes the other reads.
func TestOurHost(t *testing.T) {
	l := NewLabOf(t, gib, "n1")
	n1 := l.Targets["n1"]
	layer := n1.store(8)
	x := Portal{"127.0.0.1", n1.Port}
	l.compare(attachment(x), "hostn1", 0, layer, "what our host has written")

	if _, err := nvmetcp.Connect(t.Context(), "127.0.0.1:"+n1.Port, nvmetcp.HostOptions{HostNQN: HostNQN + "0", Subsystem: oursNQN}); !errors.Is(err, nvmetcp.HostRefused) {
		t.Errorf("a host that is not listed: %v", err)
	}
	notices := make(chan nvmetcp.Notice, 8)
	for _, o := range []nvmetcp.HostOptions{{}, {Queues: 3, Depth: 100}, {HeaderDigest: true, DataDigest: true, Queues: 2}, {Depth: 1, Notice: func(n nvmetcp.Notice) { notices <- n }}} {
		h := n1.host("", o)
		d, err := h.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if d.Size != int64(len(layer)) || d.BlockSize != 4096 {
			t.Errorf("it sees %d bytes in blocks of %d", d.Size, d.BlockSize)
		}
		want := Pattern(uint64(o.Depth+7), 5*mib)
		got := make([]byte, len(want))
		if err := errors.Join(d.WriteAt(t.Context(), want, mib), d.WriteAt(t.Context(), want[:4096], 0), d.Flush(t.Context()), d.ReadAt(t.Context(), got, mib)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%+v: it does not read what it has written: %v", o, err)
		}
		if err := errors.Join(d.Zero(t.Context(), 2*mib, mib+4096), d.Discard(t.Context(), 4*mib, mib)); err != nil {
			t.Fatal(err)
		}
		clear(want[mib : 2*mib+4096])
		l.compare(attachment(x), "hostn1", 1, want[:3*mib], "what our host has written")
		if o.Notice == nil {
			h.Close()
			continue
		}
		n1.Must("bdev_lvol_resize", fmt.Sprintf(`{"name": "lvs/vol", "size_in_mib": %d}`, len(layer)/mib+4))
		select {
		case got := <-notices:
			if d, err = h.Open(t.Context(), 1); got != nvmetcp.NamespacesChanged || err != nil || d.Size != int64(len(layer))+4*mib {
				t.Errorf("notice %d, %+v, %v", got, d, err)
			}
		case <-time.After(10 * time.Second):
			t.Error("it is not told that the namespace has grown")
		}
		n1.Kill()
		select {
		case <-h.Lost():
		case <-time.After(10 * time.Second):
			t.Error("it does not notice that the target has died")
		}
		if err := d.Flush(t.Context()); !errors.Is(err, nvmetcp.ErrLost) {
			t.Errorf("a command after that: %v", err)
		}
	}
}

// null takes what it is given and keeps nothing.
type null struct{}

func (null) ReadAt(p []byte, _ int64) (int, error)  { clear(p); return len(p), nil }
func (null) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// TestOurRate: a layer is copied to a target of ours at least as fast as to a null
// bdev of SPDK's over the same network, in turns.
func TestOurRate(t *testing.T) {
	const clusters, few, most = 240, 3, 9
	l := NewLabOf(t, 2*gib, "n1", "n2")
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	n1.store(clusters)
	at := ours(t, &nvmetcp.Target{}, 2*clusters*mib, null{})
	if err := n1.attach("ours", at, HostNQN); err != nil {
		t.Fatal(err)
	}
	n2.Must("bdev_null_create", fmt.Sprintf(`{"name": "null", "num_blocks": %d, "block_size": 4096}`, 2*clusters*mib/4096))
	n2.Must("nvmf_create_transport", `{"trtype": "TCP"}`)
	n2.offer("null")
	if err := n1.attach("theirs", Portal{"127.0.0.1", n2.Port}, HostNQN); err != nil {
		t.Fatal(err)
	}
	n1.Must("bdev_wait_for_examine", "")
	var ours, theirs []float64
	for len(ours) < few || len(ours) < most && median(ours) < median(theirs) {
		theirs = append(theirs, clusters/n1.shallowCopy("lvs/layer", "theirsn1", clusters).Seconds())
		ours = append(ours, clusters/n1.shallowCopy("lvs/layer", "oursn1", clusters).Seconds())
	}
	t.Logf("shallow copies in MiB/s: to ours %.0f, to SPDK's null bdev %.0f; %.2f times (%.0f to %.0f)", ours, theirs, median(ours)/median(theirs), slices.Min(ours), slices.Max(ours))
	if median(ours) < median(theirs) {
		t.Errorf("a layer is copied to ours at %.2f of the rate, and 1.0 are promised", median(ours)/median(theirs))
	}
}

// TestLinuxOurTarget: a Linux host connects to a target of ours, and finds what it
// has written.
func TestLinuxOurTarget(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib)
	at := ours(t, &nvmetcp.Target{}, 64*mib, &ram{data: make([]byte, 64*mib)})
	h := l.Linux(image)
	disk := h.Connect(oursNQN, at)
	h.Must("fio --name=raw --filename=" + disk + " --size=32m --bsrange=4k-512k --rw=randwrite --ioengine=libaio --direct=1 --iodepth=8 --verify=crc32c --verify_fatal=1")
	h.Must("mkfs.ext4 -q " + disk + " && mount " + disk + " /mnt && fio --name=file --filename=/mnt/file --size=16m --bs=64k --rw=write --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 && umount /mnt && e2fsck -fn " + disk)
	h.Unharmed()
	h.Disconnect(oursNQN)
}
