package lineage

// Portal is where NVMe-oF is reached: an IP address and a port, of TCP or of RDMA.
type Portal struct {
	Address, Port string
	RDMA          bool `json:",omitempty"`
}

// Transport is what goes over RDMA, or else over TCP, as NVMe-oF calls it.
func Transport(rdma bool) string {
	if rdma {
		return "RDMA"
	}
	return "TCP"
}

// String is the portal as addresses with ports are written, IPv6 in brackets.
func (p Portal) String() string {
	text := p.Address + ":" + p.Port
	if p.IPv6() {
		text = "[" + p.Address + "]:" + p.Port
	}
	if p.RDMA {
		text += " over RDMA"
	}
	return text
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
