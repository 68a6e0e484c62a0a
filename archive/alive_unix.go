//go:build unix

package archive

import (
	"errors"
	"syscall"
)

// alive tells whether there is a process of that id.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
