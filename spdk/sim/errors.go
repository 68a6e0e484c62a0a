package sim

import (
	"fmt"
	"syscall"
)

// Error is a JSON-RPC error as a target answers it.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// JSON-RPC's own codes.
const (
	codeParse         = -32700
	codeInvalid       = -32600
	codeNoMethod      = -32601
	codeInvalidParams = -32602
	codeInternal      = -32603
)

// errno numbers a target answers with, positive.
const (
	eperm    = syscall.EPERM
	enokey   = syscall.ENOKEY
	eacces   = syscall.EACCES
	enoent   = syscall.ENOENT
	eio      = syscall.EIO
	ebusy    = syscall.EBUSY
	eexist   = syscall.EEXIST
	enodev   = syscall.ENODEV
	einval   = syscall.EINVAL
	enospc   = syscall.ENOSPC
	ealready = syscall.EALREADY
	etimeout = syscall.ETIMEDOUT
	enotsup  = syscall.Errno(95)
	enomem   = syscall.ENOMEM
)

// strerror gives glibc's text, which is what SPDK answers with.
func strerror(n syscall.Errno) string {
	if s, ok := glibc[n]; ok {
		return s
	}
	return n.Error()
}

var glibc = map[syscall.Errno]string{
	eperm:    "Operation not permitted",
	enokey:   "Required key not available",
	eacces:   "Permission denied",
	enoent:   "No such file or directory",
	eio:      "Input/output error",
	ebusy:    "Device or resource busy",
	eexist:   "File exists",
	enodev:   "No such device",
	einval:   "Invalid argument",
	enospc:   "No space left on device",
	ealready: "Operation already in progress",
	etimeout: "Connection timed out",
	enotsup:  "Operation not supported",
	enomem:   "Cannot allocate memory",
}

// errno answers with the negative number as the code.
func errno(n syscall.Errno) *Error { return &Error{-int(n), strerror(n)} }

// coded answers with one of JSON-RPC's codes and the number's text.
func coded(code int, n syscall.Errno) *Error { return &Error{code, strerror(n)} }

var (
	errInvalidParams = &Error{codeInvalidParams, "Invalid parameters"}
	errInternal      = &Error{codeInternal, "Internal error"}
	errDecode        = &Error{codeInternal, "spdk_json_decode_object failed"}
	errParseDecode   = &Error{codeParse, "spdk_json_decode_object failed"}
)

// asErrno answers with err as a code of its own, asInvalid with the code of
// invalid parameters; err is an errno or becomes EIO.
func asErrno(err error) *Error { return errno(numberOf(err)) }

func asInvalid(err error) *Error { return coded(codeInvalidParams, numberOf(err)) }

func numberOf(err error) syscall.Errno {
	if n, ok := err.(syscall.Errno); ok {
		return n
	}
	return eio
}
