package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"sync"
	"testing"
	"time"

	"strata/nvmetcp"
)

// restorer is a host that uses a volume while it is restored: it has one command under way at a
// time, looks for the volume again when its connection is lost, and knows what it has to read.
type restorer struct {
	l      *Lab
	volume string
	ctx    context.Context
	disk   *nvmetcp.Device

	mu       sync.Mutex
	want     []byte
	stop     bool
	first    time.Time // when it had read something
	stall    time.Duration
	done     int
	problem  error
	finished sync.WaitGroup
}

// find connects to the volume, whoever serves it.
func (r *restorer) find() bool {
	for name, x := range r.l.Targets {
		list, err := x.Call("nvmf_get_subsystems", `{}`)
		nqn := regexp.MustCompile(`nqn\.[^"]*:e2e:` + r.volume + `\.[a-z2-7]{4}`).FindString(string(list))
		if err != nil || nqn == "" {
			continue
		}
		h, err := nvmetcp.Connect(r.ctx, net.JoinHostPort(x.Address, x.Port), nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn})
		if err != nil {
			continue
		}
		if r.disk, err = h.Open(r.ctx, 1); err == nil {
			r.l.t.Logf("the host is connected to %s", name)
			return true
		}
		h.Close()
	}
	return false
}

// use reads and writes until it is stopped.
func (r *restorer) use() {
	defer r.finished.Done()
	const most = 64 << 10
	for {
		r.mu.Lock()
		stop := r.stop || r.problem != nil
		r.mu.Unlock()
		if stop {
			return
		}
		size := 4096 * (1 + rand.IntN(most/4096))
		off := 4096 * rand.IntN((len(r.want)-size)/4096)
		data := Pattern(rand.Uint64(), size)
		writes, start := rand.IntN(3) == 0 && !r.first.IsZero(), time.Now()
		for {
			var err error
			switch {
			case r.disk == nil && !r.find():
				time.Sleep(5 * time.Millisecond)
				continue
			case writes:
				err = r.disk.WriteAt(r.ctx, data, int64(off))
			default:
				err = r.disk.ReadAt(r.ctx, data, int64(off))
			}
			if err == nil {
				break
			}
			var status nvmetcp.Status
			if r.disk = nil; errors.As(err, &status) && !passes(status) || r.ctx.Err() != nil {
				r.fail(fmt.Errorf("at %s, after %v, %d bytes at %d (written: %t): %w", start.Format(time.TimeOnly), time.Since(start).Round(time.Millisecond), size, off, writes, err))
				return
			}
		}
		r.mu.Lock()
		r.done++
		if r.first.IsZero() {
			r.first = time.Now()
		} else {
			r.stall = max(r.stall, time.Since(start))
		}
		if writes {
			copy(r.want[off:], data)
		} else if string(data) != string(r.want[off:off+size]) {
			r.problem = fmt.Errorf("%d bytes at %d are not what was recorded or written", size, off)
		}
		r.mu.Unlock()
	}
}

// passes reports whether a status says no more than that a path is gone.
func passes(s nvmetcp.Status) bool {
	const generic, path, kind = 0x000, 0x300, 0x700
	code := s & 0xff
	return s&kind == path || s&kind == generic && (code == 0x07 || code == 0x08) // aborted
}

func (r *restorer) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problem = err
}

// TestRestoreAtOnce: hosts read and write a volume before what it is made of is written, while strata is
// killed at moments of chance, and the engine's target once. They see a stall and no error, and
// nothing but what was recorded and what they wrote, which both replicas have in the end.
func TestRestoreAtOnce(t *testing.T) {
	l := archivedLab(t, 2*gib)
	l.Configure(l.archived(""))
	l.initArchive()
	l.Apply(0)
	want := l.scattered(64)
	l.Configure(l.archived(`"s"`))
	l.Apply(0)
	l.Configure(l.archived(`"s"`) + "\nvolumes: db2: {size: 256Mi, replicas: 2, snapshots: [\"s\"], from: {archive: \"main\", volume: \"db\", instant: true}, export: nvmf: hosts: \"any\"}")

	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	host := &restorer{l: l, volume: "db2", ctx: ctx, want: append([]byte(nil), want...)}
	host.finished.Add(1)
	go host.use()
	began := time.Now()
	for round := range 5 {
		run := l.StartApply()
		for start := time.Now(); round == 0 && time.Since(start) < time.Minute; time.Sleep(5 * time.Millisecond) {
			host.mu.Lock()
			first := host.first
			host.mu.Unlock()
			if !first.IsZero() {
				t.Logf("the first read is done %v after the restore began", first.Sub(began).Round(time.Millisecond))
				break
			}
		}
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		run.Kill()
		run.Wait()
		if round == 2 { // the engine's target, too
			for _, n := range l.names {
				if list := string(l.Targets[n].Must("nvmf_get_subsystems", `{}`)); regexp.MustCompile(`:e2e:db2\.`).MatchString(list) {
					l.Kill(n)
					l.Start(n)
				}
			}
		}
		t.Log(lastLine(l.Strata("status").Out))
		l.restic("unlock")
	}
	l.Apply(0)
	host.mu.Lock()
	host.stop = true
	host.mu.Unlock()
	host.finished.Wait()
	t.Logf("%d commands, the longest took %v", host.done, host.stall.Round(time.Millisecond))
	if host.problem != nil {
		t.Fatal(host.problem)
	}
	l.restic("check")
	l.Apply(0)
	l.Read("db2", 0, host.want)
	heads := map[string]string{}
	for _, n := range l.names {
		if head := regexp.MustCompile(`[^" ]*/db2\.[^" ]*#[^" ]*`).FindString(string(l.Targets[n].Must("bdev_lvol_get_lvols", `{}`))); head != "" {
			heads[n] = head
		}
	}
	if len(heads) != 2 {
		t.Fatalf("its heads are %v", heads)
	}
	// The record shows as the snapshot that came with it.
	layers := map[string]string{}
	for n := range heads {
		layers[n] = l.layer(n, "db2", "s")
	}
	l.Kill()
	l.Replicas(heads, 0, host.want)
	for n, layer := range layers {
		l.Replica(n, layer, 0, want)
	}
}
