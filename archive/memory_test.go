package archive_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"strata/archive"
)

var blobs = flag.Int("blobs", 20_000, "how many blobs the repository has when memory is measured")

const hugeSize = 100 << 40

// huge backs up some blocks of 100 TiB, all over them, twice, and reads them.
func huge(ctx context.Context, r *archive.Repository) error {
	const block, n = 1 << 20, 40
	var base *archive.Record
	p := make([]byte, block)
	for round := range byte(2) {
		b, err := r.Backup(ctx, archive.BackupOptions{Volume: "huge", Size: hugeSize, BlockSize: block, Base: base})
		if err != nil {
			return err
		}
		chance := rand.New(rand.NewPCG(1, 2))
		for range n {
			off := chance.Int64N(hugeSize/block) * block
			rand.NewChaCha8([32]byte{round, byte(off >> 20), byte(off >> 28), byte(off >> 36)}).Read(p)
			if _, err := b.WriteAt(p, off); err != nil {
				return err
			}
		}
		rec, err := b.Commit(ctx, archive.Commit{})
		if err != nil {
			return err
		}
		base = &rec
	}
	i, err := r.Image(ctx, *base)
	if err != nil {
		return err
	}
	defer i.Close()
	count := make(chan int, n)
	if err := i.Blocks(ctx, nil, func(archive.Block) error { count <- 1; return nil }); err != nil {
		return err
	}
	if len(count) != n {
		return fmt.Errorf("%d blocks were read, not %d", len(count), n)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, most, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println(strings.Fields(most)[0])
	return nil
}

// TestMemory: what backing up and reading 100 TiB takes in memory is less than 256 MiB, in
// a repository with many blobs, too.
func TestMemory(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	if err := archive.FakeIndex(t.Context(), r, *blobs); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], path, never)
	cmd.Env = append(os.Environ(), child+"=huge")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Fields(string(out))
	most, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	most >>= 10
	t.Logf("%d blobs, an image of 100 TiB: %d MiB at most", *blobs, most)
	if most > 256 {
		t.Errorf("%d MiB", most)
	}
}
