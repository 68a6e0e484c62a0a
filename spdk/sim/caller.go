package sim

import (
	"net"
	"os"
	"syscall"
)

// killCaller kills the process at the other end of a connection. A connection
// within this process only breaks, which is all that the target sees of it.
func killCaller(nc net.Conn) {
	if u, ok := nc.(*net.UnixConn); ok {
		if raw, err := u.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) {
				who, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
				if err == nil && who.Pid > 1 && int(who.Pid) != os.Getpid() {
					syscall.Kill(int(who.Pid), syscall.SIGKILL)
				}
			})
		}
	}
	nc.Close()
}
