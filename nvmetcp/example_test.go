package nvmetcp_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"strata/nvmetcp"
)

// memory is a disk that is gone when the program ends.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error)  { return copy(p, m[off:]), nil }
func (m memory) WriteAt(p []byte, off int64) (int, error) { return copy(m[off:], p), nil }

// A target serves a disk to one host, which writes to it and reads it.
func Example() {
	const (
		subsystem = "nqn.2026-01.org.example:disk"
		host      = "nqn.2026-01.org.example:host"
	)
	disk := &nvmetcp.Disk{NQN: subsystem, Hosts: []string{host}, Namespace: nvmetcp.Namespace{
		UUID: [16]byte{0x6a, 0x9f}, BlockSize: 4096, Size: 64 << 20, Backend: make(memory, 64<<20)}}
	target := &nvmetcp.Target{Connect: disk.Connect}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go target.Serve(l)
	defer target.Close()

	ctx := context.Background()
	h, err := nvmetcp.Connect(ctx, l.Addr().String(), nvmetcp.HostOptions{HostNQN: host, Subsystem: subsystem})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	d, err := h.Open(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	block := make([]byte, d.BlockSize)
	copy(block, "hello")
	if err := d.WriteAt(ctx, block, 1<<20); err != nil {
		log.Fatal(err)
	}
	clear(block)
	if err := d.ReadAt(ctx, block, 1<<20); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d MiB, %s\n", d.Size>>20, block[:5])
	// Output: 64 MiB, hello
}
