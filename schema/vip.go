package schema

import (
	"net/netip"
	"path/filepath"
	"slices"
	"time"
)

// VIP is an address by which hosts reach a volume wherever its engine is. strata does not
// move it: a program of the user's does.
type VIP struct {
	Address string // an IP address that is no node's, and no other volume's
	// Command is the program, by name or absolute path, and its arguments.
	Command []string
	// TimeoutMs is how long, in milliseconds, it may take until the address has moved, and
	// is known to have.
	TimeoutMs int
	Pos       Pos
}

// Program is what the program is called.
func (v *VIP) Program() string { return filepath.Base(v.Command[0]) }

// Timeout is TimeoutMs.
func (v *VIP) Timeout() time.Duration { return time.Duration(v.TimeoutMs) * time.Millisecond }

const (
	defaultVIPTimeout = 10 * time.Second
	minVIPTimeout     = time.Second
	maxVIPTimeout     = time.Minute
)

// vip reads how hosts reach a volume at an address that moves; nil where nothing is said.
func (s *spot) vip() *VIP {
	if s == nil {
		return nil
	}
	v := &VIP{TimeoutMs: int(defaultVIPTimeout / time.Millisecond), Pos: s.pos()}
	o, ok := s.object(`a struct such as {address: "10.0.1.5", command: ["/etc/strata/move-address"]}`)
	if !ok {
		return nil
	}
	o.only(vipFields)
	v.Address, _ = o.required("address", `"10.0.1.5"`).matching(`an IP address such as "10.0.1.5"`, validAddress)
	v.Command, _ = o.required("command", `["/etc/strata/move-address"]`).program("/etc/strata/move-address")
	if d, ok := o.field("timeout").lasts(`a time in whole milliseconds from "1s" to "1m", such as "10s"`, minVIPTimeout, maxVIPTimeout, time.Millisecond); ok {
		v.TimeoutMs = int(d / time.Millisecond)
	}
	if v.Address == "" || len(v.Command) == 0 {
		return nil // which is wrong, and said
	}
	return v
}

// vip refuses an address that somebody else has, and paths that would lead past it.
func (r *relations) vip(v *Volume, o object) {
	if v.Export.VIP == nil {
		return
	}
	nvmf := o.field("export").placement().field("nvmf").placement()
	at := nvmf.field("vip")
	if v.Export.Standby > 0 {
		at.wrong("leave one of them out: hosts with multipath need no address that moves, and others no standby path", "is an address by which hosts come alone, and standby gives them paths at addresses of nodes")
	}
	ip := sameAddress(v.Export.VIP.Address)
	for _, n := range r.cfg.Nodes {
		if slices.ContainsFunc(n.Addresses, func(a string) bool { return sameAddress(a) == ip }) {
			at.placement().field("address").wrong("give it one of its own", "is that of node %s, which stays there", n.Name)
		}
	}
	if other, taken := r.vips[ip]; taken {
		at.placement().field("address").wrong("give each one of its own: their engines move by themselves", "is also that of volume %s", other)
	}
	r.vips[ip] = v.Name
}

// sameAddress is the same for all forms of an address.
func sameAddress(s string) string {
	ip, _ := netip.ParseAddr(s)
	return ip.Unmap().String()
}
