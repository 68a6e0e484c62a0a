package spdk

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Class says what a failed call means to its caller.
type Class uint8

const (
	Other        Class = iota // the target refused, for a reason of its own
	NotFound                  // something the call names does not exist
	Exists                    // what the call would make exists already
	NoSpace                   // the pool or the target has no room
	Busy                      // in use or in progress; may succeed later
	NotPermitted              // never allowed in this state (a snapshot's children, a claimed bdev)
	Invalid                   // the target does not accept the parameters
	Unsupported               // this build has no such method, or not for this
	Unreachable               // certainly not delivered to the target
	Unknown                   // handed to the target's socket, outcome not known
)

var classNames = [...]string{
	Other: "other", NotFound: "not found", Exists: "exists", NoSpace: "no space", Busy: "busy",
	NotPermitted: "not permitted", Invalid: "invalid", Unsupported: "unsupported",
	Unreachable: "unreachable", Unknown: "unknown",
}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "class " + strconv.Itoa(int(c))
}

// Error is the error of one call. Code and Message are the target's, and zero
// when it did not answer; Err is then the reason. What others said is cut to a
// length that can be read.
type Error struct {
	Method  string
	Object  string // what the call was about, "" if it names nothing
	Code    int
	Message string
	Class   Class
	Err     error
}

// Error reads "bdev_lvol_create lab.fast/db.k3f7#1: no space left on device".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Method)
	if e.Object != "" {
		b.WriteByte(' ')
		b.WriteString(e.Object)
	}
	b.WriteString(": ")
	switch {
	case e.Err == nil && e.Message == "":
		b.WriteString("error " + strconv.Itoa(e.Code))
	case e.Err == nil:
		b.WriteString(lowerFirst(e.Message))
	case e.Class == Unreachable:
		b.WriteString("not sent: " + clip(e.Err.Error()))
	case e.Class == Unknown:
		b.WriteString("outcome unknown: " + clip(e.Err.Error()))
	default:
		b.WriteString(clip(e.Err.Error()))
	}
	return b.String()
}

// Cause is why the target did not answer, without the call; "" where it did.
func (e *Error) Cause() string {
	if e.Err == nil {
		return ""
	}
	return clip(e.Err.Error())
}

// maxMessage is how much of what a target, a proxy or an sshd says is kept, in
// bytes.
const maxMessage = 2 << 10

// clip cuts a text that is too long to be a message.
func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for end > maxMessage-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// Unwrap returns why there was no answer, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of a call's error, however wrapped. It is Other
// for nil and for errors of another origin.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Other
}

// JSON-RPC and negated errno values that targets answer with.
const (
	codeMethodNotFound = -32601
	codeInvalidParams  = -32602
	codeInvalidRequest = -32600
	codeParse          = -32700

	eperm        = -1
	enoent       = -2
	enxio        = -6
	eagain       = -11
	enomem       = -12
	eacces       = -13
	ebusy        = -16
	eexist       = -17
	enodev       = -19
	einval       = -22
	enospc       = -28
	enametoolong = -36
	enosys       = -38
	enokey       = -126
	eopnotsupp   = -95
	ealready     = -114
	einprogress  = -115
)

var classOfCode = map[int]Class{
	codeMethodNotFound: Unsupported,
	codeInvalidRequest: Invalid,
	codeInvalidParams:  Invalid,
	codeParse:          Invalid, // what bdev_raid_* say of parameters

	eperm: NotPermitted, eacces: NotPermitted,
	enoent: NotFound, enokey: NotFound, enodev: NotFound, enxio: NotFound,
	eexist: Exists, ealready: Exists,
	ebusy: Busy, eagain: Busy, einprogress: Busy,
	einval: Invalid, enametoolong: Invalid,
	enospc: NoSpace, enomem: NoSpace,
	enosys: Unsupported, eopnotsupp: Unsupported,
}

// classOfText is what methods say that answer with -32602, -32603 or -22
// whatever went wrong. Only a message's end counts: its beginning may be a user's name.
var classOfText = []struct {
	suffix string
	class  Class
}{
	{"no space left on device", NoSpace},
	{"cannot allocate memory", NoSpace},
	{"out of memory", NoSpace},
	{"file exists", Exists},
	{"failed to create dek, rc -17", Exists},
	{"no key object found", NotFound},
	{"key was not found", NotFound},
	{"already exists", Exists},
	{"already exists with the specified network path", Exists},
	{"no such device", NotFound},
	{"no such device or address", NotFound},
	{"no such file or directory", NotFound},
	{"not found", NotFound},
	{"does not exist", NotFound},
	{"device or resource busy", Busy},
	{"resource temporarily unavailable", Busy},
	{"operation already in progress", Busy},
	{"operation now in progress", Busy},
	{"operation not permitted", NotPermitted},
	{"not permitted with nvme controllers attached", NotPermitted},
	{"operation not supported", Unsupported},
	{"function not implemented", Unsupported},
	{"invalid argument", Invalid},
	{"invalid parameters", Invalid},
	{"spdk_json_decode_object failed", Invalid},
}

// classify is the one place that knows what targets mean by their errors
// (recorded with v26.05 and the v24.09 fork).
//
// nvmf_* methods say "Invalid parameters" for an unknown subsystem, an unknown
// bdev and a duplicate namespace or listener alike, "Unable to create
// subsystem" for a duplicate and a malformed NQN, "Internal error" for a
// duplicate host: those stay Invalid or Other, and only reading the state
// tells more.
func classify(method string, code int, message string) Class {
	if code == ealready && method != "bdev_nvme_attach_controller" {
		return Busy
	}
	class, known := classOfCode[code]
	if known && code != einval && code != codeInvalidParams {
		return class
	}
	if c, ok := classOfMessage(message); ok {
		return c
	}
	return class
}

// classOfMessage judges by what the target says, as "error setting ANA state:
// -22" or "Controller n2 does not exist".
func classOfMessage(message string) (Class, bool) {
	text := strings.ToLower(strings.TrimRight(message, ". "))
	for _, t := range classOfText {
		if strings.HasSuffix(text, t.suffix) {
			return t.class, true
		}
	}
	if strings.HasPrefix(text, "unable to find ") {
		return NotFound, true
	}
	if i := strings.LastIndex(text, ": -"); i >= 0 {
		if errno, err := strconv.Atoi(text[i+2:]); err == nil {
			c, ok := classOfCode[errno]
			return c, ok
		}
	}
	return Other, false
}

// lowerFirst lowers a sentence's first letter, but not that of an acronym.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	next, _ := utf8.DecodeRuneInString(s[n:])
	if !unicode.IsUpper(r) || unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}
