package archive_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"strata/archive"
	"strata/archive/dir"
	"strata/nvmetcp"
)

// A layer arrives over NVMe/TCP: the backup is the disk that a target serves. Here the
// host that writes two clusters to it is in this process, too.
func Example() {
	ctx := context.Background()
	path, err := os.MkdirTemp("", "archive-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(path)
	store, err := dir.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := archive.Init(ctx, store, "password"); err != nil {
		log.Fatal(err)
	}
	repository, err := archive.Open(ctx, store, archive.Options{Password: "password"})
	if err != nil {
		log.Fatal(err)
	}
	defer repository.Close()

	const cluster, size = 1 << 20, 64 << 20
	backup, err := repository.Backup(ctx, archive.BackupOptions{Volume: "db", Size: size, BlockSize: cluster})
	if err != nil {
		log.Fatal(err)
	}
	defer backup.Close()
	const host, subsystem = "nqn.2026-01.io.example:node", "nqn.2026-01.io.example:backup"
	disk := &nvmetcp.Disk{NQN: subsystem, Hosts: []string{host}, Namespace: nvmetcp.Namespace{ID: 1, UUID: [16]byte{1}, BlockSize: 4096, Size: size, Backend: backup}}
	target := &nvmetcp.Target{Connect: disk.Connect}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go target.Serve(l)
	write(ctx, l.Addr().String(), host, subsystem, map[int64]string{3 * cluster: "the fourth cluster", 9 * cluster: "the tenth"})
	target.Close()
	record, err := backup.Commit(ctx, archive.Commit{Tags: []string{"snapshot=monday"}})
	if err != nil {
		log.Fatal(err)
	}

	image, err := repository.Image(ctx, record)
	if err != nil {
		log.Fatal(err)
	}
	defer image.Close()
	text := make([]byte, 9)
	if _, err := image.ReadAt(text, 9*cluster); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d clusters written; at the tenth: %s\n", backup.Stats().Blocks, text)
	// Output: 2 clusters written; at the tenth: the tenth
}

// write writes clusters that begin with a text.
func write(ctx context.Context, address, host, subsystem string, clusters map[int64]string) {
	h, err := nvmetcp.Connect(ctx, address, nvmetcp.HostOptions{HostNQN: host, Subsystem: subsystem})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	d, err := h.Open(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	for off, text := range clusters {
		cluster := make([]byte, 1<<20)
		copy(cluster, text)
		if err := d.WriteAt(ctx, cluster, off); err != nil {
			log.Fatal(err)
		}
	}
}
