package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"syscall"

	"strata/lineage"
	"strata/lock"
)

// newLock is the lock of an apply by this process.
func newLock() (*lock.Lock, error) {
	holder, err := randomUUID()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	name := cmp.Or(os.Getenv("USER"), fmt.Sprint(os.Getuid()))
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return &lock.Lock{
		Holder: holder,
		Note:   lineage.LockNote{By: word(name) + "@" + word(host), Realm: realm(), PID: os.Getpid()},
		Dead:   dead,
	}, nil
}

// word makes s a word of a lock's note.
func word(s string) string {
	return cmp.Or(strings.Join(strings.Fields(strings.ReplaceAll(s, "=", "-")), "-"), "unknown")
}

// realm names the boot and the PID namespace that this process runs in; "" is
// none where that is not known.
func realm() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	pids, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(string(boot)+pids)))[:16]
}

// dead reports whether neither the process that wrote a note nor its guard can
// be alive: both were of this machine, and it knows them no more.
func dead(n lineage.LockNote) bool {
	if n.Realm == "" || n.Realm != realm() {
		return false
	}
	for _, pid := range []int{n.PID, n.Guard} {
		if pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return false
		}
	}
	return n.PID > 0
}

// randomUUID is a UUID of version 4.
func randomUUID() (lineage.UUID, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return lineage.UUID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])), nil
}
