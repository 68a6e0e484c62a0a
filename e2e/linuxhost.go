package e2e

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"strata/e2e/linux"
)

// keepAlive is that of Linux hosts here: how long one hears nothing of a target until it
// asks whether it is there.
const keepAlive = 5 * time.Second

// LinuxHost is a Linux host in the network of a lab.
type LinuxHost struct {
	*linux.Host
	l *Lab
}

// Portal is where a host reaches a subsystem.
type Portal struct{ Address, Port string }

// Portal is where hosts reach the target.
func (x *Target) Portal() Portal { return Portal{x.Address, x.Port} }

// Path is a connection of a Linux host to a subsystem.
type Path struct {
	Portal
	State string // as the kernel says: "live", "connecting"
	ANA   string // "optimized", "non-optimized", "inaccessible"; "" where it leads to no disk
}

// Optimized says whether the host may use it before any that is not.
func (p Path) Optimized() bool { return p.State == "live" && p.ANA == "optimized" }

// LinuxImage makes what Linux hosts are booted from, or skips the test and says
// what is missing. A test that runs in a network of its own has to call it before,
// for nothing can be fetched there.
func LinuxImage(t testing.TB) *linux.Image {
	t.Helper()
	FromEnv(t)
	var missing linux.Missing
	cache, err := linux.CacheDir()
	if err == nil {
		start := time.Now()
		var image *linux.Image
		if image, err = linux.Prepare(cache); err == nil {
			t.Logf("Linux is in %s (%v)", cache, time.Since(start).Round(time.Second))
			return image
		}
	}
	if errors.As(err, &missing) {
		t.Skipf("needs a Linux host: %v", missing)
	}
	t.Fatal(err)
	return nil
}

// Linux boots a host that ends with the test. prefix, if any, stands before the
// command of its machine and can put it into a network namespace.
func (l *Lab) Linux(image *linux.Image, prefix ...string) *LinuxHost {
	l.t.Helper()
	start := time.Now()
	host, err := image.Boot(l.Dir, prefix...)
	if err != nil {
		l.t.Fatal(err)
	}
	h := &LinuxHost{host, l}
	l.t.Cleanup(func() {
		if l.t.Failed() {
			out, _, err := h.Run("dmesg | tail -n 40", 20*time.Second)
			l.t.Logf("the Linux host's kernel says last (%v):\n%s%s", err, out, h.Log())
		}
		h.End()
	})
	l.t.Logf("a Linux host has booted in %v: %s", time.Since(start).Round(time.Second), strings.TrimSpace(h.Must("uname -r; fio --version; nvme version | head -n 1")))
	return h
}

// Must runs a script that has to succeed and returns what it printed.
func (h *LinuxHost) Must(script string) string {
	h.l.t.Helper()
	out, code, err := h.Run(script, 5*time.Minute)
	if err != nil || code != 0 {
		h.l.t.Fatalf("the Linux host: %s: exit code %d (%v)\n%s", script, code, err, out)
	}
	return out
}

// Attach connects to the export of a volume, by all of its paths, and returns the
// disk's device.
func (h *LinuxHost) Attach(volume string) string {
	h.l.t.Helper()
	nqn, paths := h.l.paths(volume)
	var portals []Portal
	for _, x := range paths {
		portals = append(portals, x.Portal())
	}
	return h.Connect(nqn, portals...)
}

// Connect connects to a subsystem at several portals and returns the device of
// its first disk, which all of them lead to.
func (h *LinuxHost) Connect(nqn string, portals ...Portal) (disk string) {
	h.l.t.Helper()
	for _, p := range portals {
		h.Must(fmt.Sprintf("nvme connect -t tcp -a %s -s %s -n %s --hostnqn=%s --hostid=%s --ctrl-loss-tmo=-1 --reconnect-delay=1 --keep-alive-tmo=%d",
			seen(p.Address), p.Port, nqn, HostNQN, HostNQN[strings.LastIndexByte(HostNQN, ':')+1:], keepAlive/time.Second))
	}
	Eventually(h.l.t, time.Minute, "the Linux host has a disk of "+nqn, func() error {
		disk = strings.TrimSpace(h.Must(subsystem(nqn) + `for d in $s/nvme*n*; do [ -e "$d/size" ] && echo /dev/${d##*/} && break; done; true`))
		if disk == "" {
			return wanted{"none", "one"}
		}
		return nil
	})
	return disk
}

// Disconnect lets a subsystem go, on all paths.
func (h *LinuxHost) Disconnect(nqn string) { h.Must("nvme disconnect -n " + nqn) }

// subsystem is the beginning of a script that has the directory of a subsystem in $s.
func subsystem(nqn string) string {
	return "s=$(grep -lxF " + nqn + " /sys/class/nvme-subsystem/*/subsysnqn); s=${s%/*}; "
}

// Paths are those that the host has to a subsystem, by address and port.
func (h *LinuxHost) Paths(nqn string) (paths []Path) {
	h.l.t.Helper()
	out := h.Must(subsystem(nqn) + `for c in $s/nvme*; do [ -e $c/address ] && echo "$(cat $c/address) state=$(cat $c/state) ana=$(cat $c/nvme*n*/ana_state 2>/dev/null)"; done; true`)
	for line := range strings.Lines(out) {
		p := Path{}
		for _, field := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
			switch key, value, _ := strings.Cut(field, "="); key {
			case "traddr":
				p.Address = meant(value)
			case "trsvcid":
				p.Port = value
			case "state":
				p.State = value
			case "ana":
				p.ANA = value
			}
		}
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b Path) int { return strings.Compare(a.Address+" "+a.Port, b.Address+" "+b.Port) })
	return paths
}

// seen is the address by which the host reaches one of the network it is in.
func seen(address string) string {
	if net.ParseIP(address).IsLoopback() {
		return linux.Loopback
	}
	return address
}

// meant is the address of the network that the host reaches by one.
func meant(address string) string {
	if address == linux.Loopback {
		return "127.0.0.1"
	}
	return address
}

// bad is what a kernel says of I/O that was lost or late beyond bearing.
var bad = regexp.MustCompile(`(?i)i/o error|EXT4-fs.*(error|warning)|JBD2.*error|Aborting journal|blocked for more than|Call Trace`)

// Unharmed expects that the kernel of the host has said nothing of errors.
func (h *LinuxHost) Unharmed() {
	h.l.t.Helper()
	for line := range strings.Lines(h.Must("dmesg")) {
		if bad.MatchString(line) {
			h.l.t.Errorf("the Linux host's kernel says: %s", strings.TrimSpace(line))
		}
	}
}
