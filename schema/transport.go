package schema

// rdma reads how two machines speak to one another: over RDMA, or over TCP, which is the default.
func (s *spot) rdma() bool {
	t, _ := s.matching(`"tcp" or "rdma"`, func(t string) bool { return t == "tcp" || t == "rdma" })
	return t == "rdma"
}

// overRDMA checks that a volume asks for nothing that only TCP has, if its hosts come over RDMA.
func (r *relations) overRDMA(v *Volume, o object) {
	if !v.Export.RDMA {
		return
	}
	at := o.field("export").placement().field("nvmf").placement().field("transport")
	if v.Export.TLS() {
		at.wrong(`write "tcp", or take psk away from its hosts`, "is rdma, and TLS is of TCP: its hosts have a psk")
	}
	if v.Export.VIP != nil {
		at.wrong(`write "tcp", or take vip away`, "is rdma, and an address that follows the engine is one of TCP: RDMA comes by addresses of its network cards")
	}
}
