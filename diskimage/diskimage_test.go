package diskimage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const mib = 1 << 20

// made is a sparse file with some data, its sum, and what is in it.
func made(t *testing.T, size int64, at map[int64]string) (name, sum string, content []byte) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "disk.img")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	content = make([]byte, size)
	for off, text := range at {
		copy(content[off:], text)
		if _, err := f.WriteAt([]byte(text), off); err != nil {
			t.Fatal(err)
		}
	}
	digest := sha256.Sum256(content)
	return name, hex.EncodeToString(digest[:]), content
}

func TestBlocks(t *testing.T) {
	const size = 40*mib + 700 // its last piece is not whole
	zeros := strings.Repeat("\x00", 2*mib)
	name, sum, want := made(t, size, map[int64]string{5 * mib: "five", 9*mib - 2: "over", 20 * mib: zeros, 40*mib + 690: "end"})
	i, err := Open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	data, err := i.Data()
	if err != nil || i.Size() != size || data < 2*mib || data > 4*mib {
		t.Errorf("%d bytes, %d of data, %v", i.Size(), data, err)
	}
	var mu sync.Mutex
	got, pieces := make([]byte, 41*mib), 0
	if err := i.Blocks(t.Context(), mib, sum, func(b Block) error {
		mu.Lock()
		defer mu.Unlock()
		pieces++
		copy(got[b.Off:], b.Data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if pieces != 4 || !bytes.Equal(got[:size], want) {
		t.Errorf("%d pieces, and equal is %t", pieces, bytes.Equal(got[:size], want))
	}
}

// What is not what it is said to be is found, whatever was given on by then.
func TestOtherSum(t *testing.T) {
	name, sum, _ := made(t, 3*mib, map[int64]string{mib: "x"})
	if err := os.WriteFile(name, []byte(strings.Repeat("y", 3*mib)), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := Open(name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if err := i.Blocks(t.Context(), mib, sum, func(Block) error { return nil }); err == nil || !strings.Contains(err.Error(), "not "+sum) {
		t.Error(err)
	}
	failed := errors.New("no")
	if err := i.Blocks(t.Context(), 64<<10, sum, func(Block) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := i.Blocks(ctx, 64<<10, sum, func(Block) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := os.Truncate(name, mib); err != nil {
		t.Fatal(err)
	}
	if err := i.Blocks(t.Context(), mib, sum, func(Block) error { return nil }); err == nil {
		t.Error("a file that became shorter is taken")
	}
}

func TestOtherFormats(t *testing.T) {
	for _, f := range formats {
		content := make([]byte, 4096)
		at := f.at
		if at < 0 {
			at += 4096
		}
		copy(content[at:], f.mark)
		name := filepath.Join(t.TempDir(), "disk")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(name, false); err == nil || !strings.Contains(err.Error(), "is "+f.name+", and only raw images are read: ") {
			t.Errorf("%s: %v", f.name, err)
		}
		i, err := Open(name, true)
		if err != nil {
			t.Fatal(err)
		}
		i.Close()
	}
	name := filepath.Join(t.TempDir(), "small")
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if i, err := Open(name, false); err != nil || i.Close() != nil {
		t.Error(err)
	}
	if err := os.Truncate(name, 0); err != nil {
		t.Fatal(err)
	}
	for _, none := range []string{name, t.TempDir(), "/dev/null", filepath.Join(t.TempDir(), "none")} {
		if _, err := Open(none, false); err == nil {
			t.Errorf("%s is opened", none)
		}
	}
}
