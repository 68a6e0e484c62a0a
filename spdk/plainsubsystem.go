package spdk

func (l *lexer) subsystem(s, before *Subsystem) {
	l.members(func(key []byte) {
		switch string(key) {
		case "nqn":
			s.NQN = l.text()
		case "subtype":
			s.Subtype = l.text(before.Subtype)
		case "listen_addresses":
			s.ListenAddresses = []Address{}
			l.each(func() {
				var t Trid
				l.trid(&t)
				s.ListenAddresses = append(s.ListenAddresses, t.address())
			})
		case "allow_any_host":
			s.AllowAnyHost = l.truth()
		case "hosts":
			s.Hosts = []Host{}
			l.each(func() {
				s.Hosts = append(s.Hosts, Host{})
				l.host(&s.Hosts[len(s.Hosts)-1])
			})
		case "serial_number":
			s.SerialNumber = l.text()
		case "model_number":
			s.ModelNumber = l.text(before.ModelNumber)
		case "max_namespaces":
			s.MaxNamespaces = l.number32()
		case "min_cntlid":
			s.MinCntlid = l.number16()
		case "max_cntlid":
			s.MaxCntlid = l.number16()
		case "namespaces":
			s.Namespaces = []Namespace{}
			l.each(func() {
				s.Namespaces = append(s.Namespaces, Namespace{})
				l.namespace(&s.Namespaces[len(s.Namespaces)-1])
			})
		default:
			l.skip()
		}
	})
}

func (l *lexer) host(h *Host) {
	l.members(func(key []byte) {
		switch string(key) {
		case "nqn":
			h.NQN = l.text()
		case "dhchap_key":
			h.Key = l.text()
		case "dhchap_ctrlr_key":
			h.CtrlKey = l.text()
		default:
			l.skip()
		}
	})
}

func (l *lexer) namespace(n *Namespace) {
	l.members(func(key []byte) {
		switch string(key) {
		case "nsid":
			n.NSID = l.number32()
		case "bdev_name":
			n.BdevName = l.text()
		case "name":
			n.Name = l.text(n.BdevName)
		case "nguid":
			n.NGUID = l.text()
		case "uuid":
			n.UUID = l.text(n.BdevName)
		case "anagrpid":
			n.ANAGroup = l.number32()
		default:
			l.skip()
		}
	})
}
