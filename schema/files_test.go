package schema

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnreadableFiles: what is no file to be read to its end is named, and
// nobody waits for it.
func TestUnreadableFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"pipe", "socket", "link", "closed", "below", "device"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const good = "cluster: \"lab\"\nnodes: {}\nvolumes: {}\n"
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(syscall.Mkfifo("pipe/x.cue", 0o644))
	check(syscall.Mkfifo("pipe/x.json", 0o644))
	l, err := net.Listen("unix", "socket/x.cue")
	check(err)
	defer l.Close()
	check(os.Symlink("gone", "link/x.cue"))
	check(os.Symlink("/dev/zero", "device/x.cue"))
	check(os.WriteFile("closed/x.cue", []byte(good), 0))
	check(os.WriteFile("below/x.cue", []byte(good), 0o644))
	check(os.Mkdir("below/y.cue", 0o755))
	check(os.Symlink("y.cue", "below/z.cue"))
	for path, want := range map[string]string{
		"pipe":         "pipe/x.cue: is a named pipe; a configuration is read from regular files",
		"pipe/x.json":  "pipe/x.json: is a named pipe; ",
		"socket":       "socket/x.cue: is a socket; ",
		"device":       "device/x.cue: is a device; ",
		"device/x.cue": "device/x.cue: is a device; ",
		"link":         "link/x.cue: is a link to gone, which is not there",
		"link/x.cue":   "link/x.cue: is a link to gone, which is not there",
		"closed":       "closed/x.cue: permission denied",
		"below":        "",
	} {
		if path == "closed" && os.Getuid() == 0 {
			continue
		}
		done := make(chan error, 1)
		go func() {
			_, err := Load([]string{path}, nil)
			done <- err
		}()
		select {
		case err := <-done:
			if want == "" && err == nil || want != "" && err != nil && strings.HasPrefix(err.Error(), want) {
				continue
			}
			t.Errorf("%s: %v, want %q", path, err, want)
		case <-time.After(time.Minute):
			t.Errorf("%s: it hangs", path)
		}
	}
}
