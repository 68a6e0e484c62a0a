package spdk

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// socketIn is a socket in a directory, which names may need quoting.
func socketIn(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return filepath.Join(dir, "s")
}

func TestKeyFiles(t *testing.T) {
	d, ctx := sshd(t), t.Context()
	socket := socketIn(t, "a 'b")
	dir := socket + ".keys"
	c := over(t, d, socket, Options{KeyDir: dir})
	list := func(want ...string) {
		t.Helper()
		if names, err := c.KeyFiles().List(ctx); err != nil || !slices.Equal(names, want) {
			t.Errorf("%q is there, %v; not %q", names, err, want)
		}
	}
	list()
	if err := c.KeyFiles().Remove(ctx, "lab.a"); err != nil {
		t.Error(err)
	}
	for _, content := range []string{"one $HOME 'quoted'\n", "another\n"} {
		if err := c.KeyFiles().Write(ctx, "lab.a", []byte(content)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "lab.a"))
		if err != nil || string(text) != content {
			t.Errorf("%q is in it: %v", text, err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "lab.a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("others may change its directory: %v, %v", info.Mode(), err)
	}
	// What a shell left that was killed goes with the next that is written.
	if err := os.WriteFile(filepath.Join(dir, ".new.1"), []byte("part"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := c.KeyFiles().Write(ctx, fmt.Sprintf("lab.%d", i), []byte("key")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	c.files.at = time.Time{}
	list("lab.0", "lab.1", "lab.2", "lab.3", "lab.4", "lab.5", "lab.6", "lab.7", "lab.a")
	for i := range 8 {
		if err := c.KeyFiles().Remove(ctx, fmt.Sprintf("lab.%d", i)); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v is left: %v", entries, err)
	}
	if err := c.KeyFiles().Remove(ctx, "lab.a"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("its directory stays:", err)
	}
	if d.Logins() != 1 {
		t.Errorf("%d logins", d.Logins())
	}
}

// TestKeyFilesRefused: what others may change is not written to, and nothing of a key is said.
func TestKeyFilesRefused(t *testing.T) {
	d := sshd(t)
	write := func(c *Client) error {
		return c.KeyFiles().Write(t.Context(), "lab.a", []byte("the key"))
	}
	elsewhere := t.TempDir()
	for name, c := range map[string]struct {
		make func(dir, socket string) error
		want string
	}{
		"a link":         {func(dir, _ string) error { return os.Symlink(elsewhere, dir) }, "is not the own directory of"},
		"for all":        {func(dir, _ string) error { return os.Mkdir(dir, 0o777) }, "is not the own directory of"},
		"a file":         {func(dir, _ string) error { return os.WriteFile(dir, nil, 0o600) }, "cannot be made"},
		"without target": {func(_, socket string) error { return os.Remove(socket) }, "does the target run?"},
	} {
		socket := socketIn(t, "x")
		if err := c.make(socket+".keys", socket); err != nil {
			t.Fatal(err)
		}
		err := write(over(t, d, socket, Options{KeyDir: socket + ".keys"}))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "the key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
		t.Errorf("%v was written: %v", entries, err)
	}
	if c := client(t, "unix:///x", Options{KeyDir: "/x"}); c.KeyFiles() != nil {
		t.Error("there are files where nobody comes by ssh")
	}
	d.Close()
	if err := write(over(t, d, socketIn(t, "y"), Options{KeyDir: "/y"})); err == nil {
		t.Error("written without an sshd")
	}
}

// TestKeyFilesWithoutShell: who may not run a shell there is told so.
func TestKeyFilesWithoutShell(t *testing.T) {
	d := sshd(t, "ForceCommand /bin/false")
	socket := socketIn(t, "x")
	c := over(t, d, socket, Options{KeyDir: socket + ".keys"})
	if _, err := c.KeyFiles().List(context.Background()); err == nil || !strings.Contains(err.Error(), "run one?") {
		t.Error(err)
	}
}
