package nvmetcp

import "fmt"

// Status is the status of a command that a target has refused or failed: the
// status code in bits 7 to 0, its type in bits 10 to 8, and in bit 14 "do not
// retry", as in the NVMe base specification.
type Status uint16

// Statuses that callers may want to tell from others, without [Status.Final].
const (
	InvalidOpcode      Status = 0x001
	InvalidField       Status = 0x002
	CommandIDConflict  Status = 0x003
	InternalError      Status = 0x006
	InvalidNamespace   Status = 0x00b
	SequenceError      Status = 0x00c
	InvalidSGLLength   Status = 0x00f
	InvalidSGLOffset   Status = 0x016
	ReadOnly           Status = 0x020
	TransientTransport Status = 0x022
	OutOfRange         Status = 0x080
	InvalidFeature     Status = 0x10d
	InvalidLogPage     Status = 0x109
	TooManyEvents      Status = 0x105
	ConnectFormat      Status = 0x180
	ConnectBusy        Status = 0x181
	ConnectParameters  Status = 0x182
	AuthRequired       Status = 0x191
	HostRefused        Status = 0x184
	WriteFault         Status = 0x280
	ReadError          Status = 0x281
	CompareFailure     Status = 0x285
	Inaccessible       Status = 0x302
	notRetried         Status = 0x4000
	statusMask         Status = 0x7ff
)

// Final says whether the target asks not to try the command again.
func (s Status) Final() bool { return s&notRetried != 0 }

// Is has errors.Is compare without the bit that Final reads.
func (s Status) Is(err error) bool {
	t, ok := err.(Status)
	return ok && s&statusMask == t&statusMask
}

func (s Status) Error() string {
	text := statusText[s&statusMask]
	if text == "" {
		text = "status not known here"
	}
	return fmt.Sprintf("NVMe status %d/%#02x: %s", s>>8&7, uint8(s), text)
}

var statusText = map[Status]string{
	InvalidOpcode:      "invalid command opcode",
	InvalidField:       "invalid field in command",
	CommandIDConflict:  "command id conflict",
	InternalError:      "internal error",
	InvalidNamespace:   "invalid namespace or format",
	SequenceError:      "command sequence error",
	InvalidSGLLength:   "data SGL length invalid",
	InvalidSGLOffset:   "SGL offset invalid",
	ReadOnly:           "namespace is write protected",
	TransientTransport: "transient transport error",
	OutOfRange:         "LBA out of range",
	InvalidFeature:     "feature not changeable",
	InvalidLogPage:     "invalid log page",
	TooManyEvents:      "asynchronous event request limit exceeded",
	ConnectFormat:      "connect: incompatible format",
	ConnectBusy:        "connect: controller busy",
	ConnectParameters:  "connect: invalid parameters (no such subsystem or controller)",
	HostRefused:        "connect: invalid host (the subsystem does not list it)",
	WriteFault:         "write fault",
	ReadError:          "unrecovered read error",
	CompareFailure:     "compare failure",
	Inaccessible:       "asymmetric access inaccessible",
	AuthRequired:       "authentication required",
	0x303:              "asymmetric access transition",
	0x301:              "asymmetric access persistent loss",
	0x008:              "command aborted: submission queue deleted",
	0x007:              "command abort requested",
	0x082:              "namespace not ready",
}
