package backup

import (
	"bytes"
	"errors"
	"net"
	"testing"

	"github.com/google/uuid"

	"strata/nvmetcp"
)

// keeper is a disk that shows what it had where it was discarded.
type keeper struct {
	data, had []byte
	keeps     bool
}

func (k *keeper) ReadAt(p []byte, off int64) (int, error) { return copy(p, k.data[off:]), nil }

func (k *keeper) WriteAt(p []byte, off int64) (int, error) { return copy(k.data[off:], p), nil }

func (k *keeper) DiscardAt(off, n int64) error {
	if clear(k.data[off : off+n]); k.keeps {
		copy(k.data[off:off+n], k.had[off:])
	}
	return nil
}

// TestDiscardIsLookedAt: where a disk does not read zeroes once they were discarded, they are written
// again, and that is an error.
func TestDiscardIsLookedAt(t *testing.T) {
	const size = 4 << 20
	for _, keeps := range []bool{false, true} {
		k := &keeper{data: bytes.Repeat([]byte("data"), size/4), had: bytes.Repeat([]byte("had!"), size/4), keeps: keeps}
		clear(k.data[1<<20 : 3<<20])
		want := bytes.Clone(k.data)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		disk := &nvmetcp.Disk{NQN: "nqn.2026-01.org.example:disk", Hosts: []string{"nqn.2026-01.org.example:host"},
			Namespace: nvmetcp.Namespace{ID: 1, UUID: uuid.New(), BlockSize: 4096, Size: size, Backend: k}}
		target := &nvmetcp.Target{Connect: disk.Connect}
		go target.Serve(l)
		t.Cleanup(func() { target.Close() })
		h, err := nvmetcp.Connect(t.Context(), l.Addr().String(), nvmetcp.HostOptions{HostNQN: disk.Hosts[0], Subsystem: disk.NQN})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		d, err := h.Open(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		trim := &Trim{Unit: 1 << 20}
		zero, err := trim.chunk(t.Context(), d, make([]byte, size), 0)
		if keeps != errors.Is(err, errKeeps) || err != nil && !keeps {
			t.Errorf("keeps %v: %v", keeps, err)
		}
		if !keeps && zero != 2<<20 {
			t.Errorf("%d bytes are discarded, not 2 MiB", zero)
		}
		if !bytes.Equal(k.data, want) {
			t.Errorf("keeps %v: what is read is not what it was", keeps)
		}
	}
}
