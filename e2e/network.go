package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// ownNetwork is set in the environment of a test that runs in a network of its own.
const ownNetwork = "STRATA_E2E_NETWORK"

// OwnNetwork reports whether this process is in a network of its own, in which
// every target has an address that can be taken away.
func OwnNetwork() bool { return os.Getenv(ownNetwork) != "" }

// InOwnNetwork runs the test once more, in a process with a network namespace
// of its own, and reports whether this is that process. Linux lets users make
// one that need not be root; where it does not, the test goes on here, without.
func InOwnNetwork(t *testing.T) bool {
	t.Helper()
	if OwnNetwork() {
		return true
	}
	args := append(slices.Clone(os.Args[1:]), "-test.run=^"+t.Name()+"$", "-test.v") // the last counts
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), ownNetwork+"=1", "STRATA="+strata(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:   syscall.SIGKILL,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Logf("no network of its own can be had, so it stays up: %v", err)
		return true
	}
	err := cmd.Wait()
	t.Logf("in a network of its own:\n%s", out.String())
	if err != nil {
		t.Error(err)
	}
	return false
}

func networkAddress(i int) string { return fmt.Sprintf("10.77.0.%d", i+1) }

// Connect gives the target its address in the test's own network.
func (x *Target) Connect() error {
	if err := flags("lo", syscall.IFF_UP); err != nil {
		return err
	}
	ip := net.ParseIP(x.Address).To4()
	request := interfaceRequest(x.alias())
	*(*syscall.RawSockaddrInet4)(unsafe.Pointer(&request[ifName])) = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Addr: [4]byte(ip)}
	if err := ioctl(syscall.SIOCSIFADDR, request); err != nil {
		return err
	}
	*(*syscall.RawSockaddrInet4)(unsafe.Pointer(&request[ifName])) = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Addr: [4]byte{255, 255, 255, 255}}
	return ioctl(syscall.SIOCSIFNETMASK, request)
}

// Disconnect takes its address away: packets to it and from it reach nobody.
func (x *Target) Disconnect() error { return flags(x.alias(), 0) }

// alias is the interface that has the address.
func (x *Target) alias() string {
	return "lo:" + x.Address[strings.LastIndexByte(x.Address, '.')+1:]
}

const ifName = 16 // bytes of an interface's name

func interfaceRequest(name string) (request [40]byte) {
	copy(request[:ifName-1], name)
	return request
}

// flags sets those of an interface. One with an address that is down is gone.
func flags(name string, to uint16) error {
	request := interfaceRequest(name)
	*(*uint16)(unsafe.Pointer(&request[ifName])) = to
	return ioctl(syscall.SIOCSIFFLAGS, request)
}

func ioctl(number uintptr, request [40]byte) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), number, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
