package lineage

// Portal is where NVMe-oF is reached: an IP address and a port.
type Portal struct{ Address, Port string }

// String is the portal as addresses with ports are written, IPv6 in brackets.
func (p Portal) String() string {
	if p.IPv6() {
		return "[" + p.Address + "]:" + p.Port
	}
	return p.Address + ":" + p.Port
}

// IPv6 reports whether the address is one of IPv6.
func (p Portal) IPv6() bool {
	for _, c := range p.Address {
		if c == ':' {
			return true
		}
	}
	return false
}
