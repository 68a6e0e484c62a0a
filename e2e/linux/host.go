package linux

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Loopback is where a host reaches 127.0.0.1 of the network that it was booted in.
const Loopback = "10.0.2.2"

// bootLimit bears an emulation on a machine that is busy; an idle one takes 15 s.
const bootLimit = 5 * time.Minute

// Host is a Linux that runs. Its methods may be called from any goroutine.
type Host struct {
	cmd  *exec.Cmd
	port net.Conn
	log  string
	gone chan struct{} // closed when it has ended

	mu   sync.Mutex
	last int
	open map[string]*Script // by number
}

// Script is one that runs on a host, or has run.
type Script struct {
	host *Host
	text string
	done chan struct{}
	out  string
	code int
}

// Boot starts a host and returns when it takes scripts. Files of its go to dir,
// which has to have a short name, for a Unix socket is among them. prefix, such
// as "ip", "netns", "exec", "name", stands before qemu's command.
func (i *Image) Boot(dir string, prefix ...string) (*Host, error) {
	h := &Host{log: filepath.Join(dir, "linux.log"), gone: make(chan struct{}), open: map[string]*Script{}}
	socket := filepath.Join(dir, "linux.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	line := append(prefix, qemu, "-nodefaults", "-display", "none", "-no-reboot",
		"-machine", "q35,accel=tcg", "-cpu", "max", "-m", "768", // KVM may be there and not work
		"-kernel", i.kernel, "-initrd", i.initrd, "-append", "console=ttyS0 panic=1 quiet mitigations=off cryptomgr.notests",
		"-serial", "file:"+h.log, "-chardev", "socket,id=port,path="+socket, "-serial", "chardev:port",
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=")
	h.cmd = exec.Command(line[0], line[1:]...)
	var said strings.Builder
	h.cmd.Stdout, h.cmd.Stderr = &said, &said
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		h.cmd.Wait()
		l.Close()
		close(h.gone)
	}()
	l.SetDeadline(time.Now().Add(bootLimit))
	h.port, err = l.Accept()
	if err != nil {
		h.End()
		return nil, fmt.Errorf("qemu does not start: %w\n%s", err, said.String())
	}
	ready := h.expect("ready", "")
	go h.listen()
	if _, _, err := ready.Wait(bootLimit); err != nil {
		h.End()
		return nil, fmt.Errorf("the host does not boot: %w\n%s%s", err, said.String(), h.Log())
	}
	return h, nil
}

// Start starts a script and does not wait for it.
func (h *Host) Start(text string) (*Script, error) {
	h.mu.Lock()
	h.last++
	number := fmt.Sprint(h.last)
	h.mu.Unlock()
	s := h.expect(number, text)
	_, err := fmt.Fprintf(h.port, "%s %s\n", number, base64.StdEncoding.EncodeToString([]byte(text)))
	return s, err
}

// Run runs a script and returns what it printed, and its exit code. The error is
// that of a host which has not carried it out within the limit.
func (h *Host) Run(text string, limit time.Duration) (out string, code int, err error) {
	s, err := h.Start(text)
	if err != nil {
		return "", 0, err
	}
	return s.Wait(limit)
}

func (h *Host) expect(number, text string) *Script {
	s := &Script{host: h, text: text, done: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open[number] = s
	return s
}

// listen takes the answers until the host ends.
func (h *Host) listen() {
	lines := bufio.NewReader(h.port)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		number, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, text, _ := strings.Cut(rest, " ")
		h.mu.Lock()
		s := h.open[number]
		delete(h.open, number)
		h.mu.Unlock()
		if s == nil {
			continue
		}
		out, err := base64.StdEncoding.DecodeString(text)
		if _, scan := fmt.Sscan(code, &s.code); err != nil || scan != nil {
			s.code, out = -1, []byte("an answer that cannot be read: "+line)
		}
		s.out = string(out)
		close(s.done)
	}
}

// Wait waits until the script has ended: see [Host.Run].
func (s *Script) Wait(limit time.Duration) (out string, code int, err error) {
	select {
	case <-s.done:
		return s.out, s.code, nil
	case <-s.host.gone:
		return "", 0, errors.New("the host has ended")
	case <-time.After(limit):
		return "", 0, fmt.Errorf("not done after %v: %s", limit, s.text)
	}
}

// Ended says whether the script has ended, and how.
func (s *Script) Ended() (out string, code int, ended bool) {
	select {
	case <-s.done:
		return s.out, s.code, true
	default:
		return "", 0, false
	}
}

// Log is what the host's kernel has printed to its console.
func (h *Host) Log() string {
	log, _ := os.ReadFile(h.log)
	return string(log)
}

// End ends the host as a power failure does, and returns when it is gone.
func (h *Host) End() {
	h.cmd.Process.Kill()
	<-h.gone
	if h.port != nil {
		h.port.Close()
	}
}
