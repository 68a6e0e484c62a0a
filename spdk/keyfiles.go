package spdk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// KeyFiles are files with keys on the machine of a target, in a directory that has nothing
// else. Nobody but the user that the target runs as may read them. One is whole or not there.
type KeyFiles interface {
	// List has their names, and none where the directory is not there. What others have changed
	// in the last minute may not be in it.
	List(ctx context.Context) ([]string, error)
	// Write puts one there, or another in its place.
	Write(ctx context.Context, name string, content []byte) error
	// Remove takes one away that may not be there.
	Remove(ctx context.Context, name string) error
}

// ErrNoKeyFiles is that strata does not come to the machine of a target.
var ErrNoKeyFiles = errors.New("strata does not come to its machine by ssh")

// KeyFiles are those of the target's machine: Options.KeyFiles, or in Options.KeyDir by ssh;
// nil where there are none.
func (c *Client) KeyFiles() KeyFiles {
	switch {
	case c.opts.KeyFiles != nil:
		return c.opts.KeyFiles
	case c.files != nil:
		return c.files
	}
	return nil
}

// sshFiles has the shell of the user on the host see to the files. What is in one goes there
// as the command's input: in no argument, and in none of its output.
type sshFiles struct {
	c *Client

	mu    sync.Mutex // for one shell at a time
	names []string   // as they were at that time, and left by this client
	at    time.Time  // zero: they have to be read
}

// listedFor is how long names are taken to be as they were. A shell may take seconds to start,
// which every look at the target would take, too.
const listedFor = time.Minute

// The directory is the own one of the user that strata comes in as; whoever else may change
// what is around it can have nothing written elsewhere. A file is the target's, whose user its socket belongs to,
// and is put in place when all of it is there. What a shell that was killed has left goes.
const (
	enter = `cd -P -- "$dir"
[ "$(stat -c %u:%a .)" = "$(id -u):711" ] || { echo "$dir is not the own directory of $(id -un), of mode 711: take it away" >&2; exit 1; }
rm -f -- .new.*
`
	listKeys = `set -eu
dir=$DIR
[ -d "$dir" ] || exit 0
ls -1 -- "$dir"
`
	writeKey = `set -eu
umask 077
dir=$DIR sock=$SOCK name=$NAME size=$SIZE
[ -S "$sock" ] || { echo "there is no socket $sock: does the target run?" >&2; exit 1; }
owner=$(stat -L -c %u:%g -- "$sock")
mkdir -m 711 -- "$dir" 2>/dev/null || [ -d "$dir" ] || { echo "$dir cannot be made: may $(id -un) write there?" >&2; exit 1; }
` + enter + `trap 'rm -f -- ".new.$$"' EXIT
cat >".new.$$"
[ "$(wc -c <".new.$$")" -eq "$size" ] || { echo "it came in part only" >&2; exit 1; }
chown "$owner" ".new.$$" || { echo "come in as the user that the target runs as, number ${owner%:*}, or as root: else the file cannot be given to it" >&2; exit 1; }
mv -f -- ".new.$$" "$name"
`
	removeKey = `set -eu
dir=$DIR name=$NAME
[ -d "$dir" ] || exit 0
` + enter + `rm -f -- "$name"
cd /
rmdir -- "$dir" 2>/dev/null || true
`
)

func (f *sshFiles) List(ctx context.Context) (names []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.at.IsZero() && time.Since(f.at) < listedFor {
		return slices.Clone(f.names), nil
	}
	out, err := f.run(ctx, listKeys, "", nil)
	if err != nil {
		return nil, fmt.Errorf("the files in %s: %w", f.c.opts.KeyDir, err)
	}
	f.names, f.at = strings.Fields(out), time.Now()
	return slices.Clone(f.names), nil
}

func (f *sshFiles) Write(ctx context.Context, name string, content []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.run(ctx, writeKey, name, content); err != nil {
		f.at = time.Time{}
		return fmt.Errorf("key file %s/%s: %w", f.c.opts.KeyDir, name, err)
	}
	f.note(name, true)
	return nil
}

func (f *sshFiles) Remove(ctx context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.run(ctx, removeKey, name, nil); err != nil {
		f.at = time.Time{}
		return fmt.Errorf("key file %s/%s: %w", f.c.opts.KeyDir, name, err)
	}
	f.note(name, false)
	return nil
}

// note has what was done in what is known.
func (f *sshFiles) note(name string, there bool) {
	f.names = slices.DeleteFunc(f.names, func(n string) bool { return n == name })
	if there {
		f.names = append(f.names, name)
		slices.Sort(f.names)
	}
}

// most is more than any listing has, in bytes; of what is said on errors less is shown.
const (
	mostListed = 1 << 20
	mostSaid   = 500
)

// run has a shell on the host run a script, whatever the user's own shell is.
func (f *sshFiles) run(ctx context.Context, script, name string, in []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.c.opts.DialTimeout)
	defer cancel()
	for word, value := range map[string]string{"$DIR": f.c.opts.KeyDir, "$SOCK": f.c.to.path, "$NAME": name, "$SIZE": strconv.Itoa(len(in))} {
		script = strings.ReplaceAll(script, "="+word, "="+quoted(value))
	}
	s, host, err := f.c.host.session(ctx)
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	defer s.Close()
	out, said := &bounded{left: mostListed}, &bounded{left: mostSaid}
	s.Stdin, s.Stdout, s.Stderr = bytes.NewReader(in), out, said
	err = s.Run("exec /bin/sh -c " + quoted(strings.ReplaceAll(strings.TrimSpace(script), "\n", "; "))) // not every shell takes several lines
	ended := (*ssh.ExitError)(nil)
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", f.c.host.name(errors.New("the shell there did not end in time"))
	case errors.As(err, &ended) && strings.TrimSpace(said.String()) != "":
		return "", f.c.host.name(errors.New(strings.Join(strings.Fields(said.String()), " ")))
	case errors.As(err, &ended):
		return "", f.c.host.name(fmt.Errorf("the shell there ended with %d; may %s run one?", ended.ExitStatus(), f.c.to.user))
	case host.alive.Err() != nil:
		return "", f.c.host.name(errors.New("sshd ended the connection"))
	}
	return "", f.c.host.name(fmt.Errorf("%w; may %s run a shell there?", err, f.c.to.user))
}

// quoted is a word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// bounded keeps the first bytes of what is written.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Buffer.Write(p[:n])
	return len(p), nil
}

var _ io.Writer = (*bounded)(nil)

// session opens a session on the host, over the connection that there is. That is made if
// need be, and anew if it turns out to be broken.
func (d *sshDialer) session(ctx context.Context) (*ssh.Session, *sshHost, error) {
	for {
		host, fresh, err := d.connected(ctx)
		if err != nil {
			return nil, nil, d.name(err)
		}
		s, err := host.newSession(ctx)
		if err == nil {
			return s, host, nil
		}
		if refused := (*ssh.OpenChannelError)(nil); errors.As(err, &refused) {
			return nil, nil, d.name(fmt.Errorf("sshd lets %s open no session (%s)", d.to.user, refused.Message))
		}
		d.drop(host)
		if ctx.Err() != nil {
			return nil, nil, d.name(errors.New("no answer from sshd"))
		}
		if fresh {
			return nil, nil, d.name(errors.New("sshd ended the connection"))
		}
	}
}

// newSession is that of the package, which may wait for good for one that is asked for while
// the connection ends.
func (h *sshHost) newSession(ctx context.Context) (*ssh.Session, error) {
	type opened struct {
		s   *ssh.Session
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := h.client.NewSession()
		done <- opened{s, err}
	}()
	select {
	case o := <-done:
		return o.s, o.err
	case <-h.alive.Done():
	case <-ctx.Done():
	}
	go func() {
		if o := <-done; o.s != nil {
			o.s.Close()
		}
	}()
	return nil, errors.New("the connection ended")
}
