package sim

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// controller is the initiator's end of a connection to a subsystem, or a
// controller in the machine.
type controller struct {
	p       *process
	name    string
	addr    address
	nqn     string
	hostNQN string
	keys    hostKeys
	// attachedWith are those that it holds for as long as it is there, and told says that it has
	// others since. unproven: it has failed to authenticate.
	attachedWith   hostKeys
	psk            *keyFile // of TLS, which is read on every connection; nil: it speaks plainly
	told, unproven bool

	local     *disk // of a controller in the machine
	localBdev *bdev

	lossTimeout    int32  // seconds; -1 never, 0 no reconnecting at all
	reconnectDelay uint32 // seconds
	fastFail       uint32 // seconds; 0 never

	state    ctrlState
	sub      *subsystem // while connected
	at       *listener
	id       uint16
	serial   string
	model    string
	ana      bool
	trim     bool // every namespace could be unmapped when it connected
	failIO   bool // fast_io_fail_timeout_sec was over once
	epoch    int  // changes as it connects and ends, so that old timers find out
	attempts int  // to connect
	spaces   map[uint32]*remote
	missed   []uint32 // namespaces whose events are held up by silence
	news     []uint32 // those whose events are being looked into
	failover bool     // it takes alternate addresses
	others   []alternate
	before   []address // of paths, before it had another
	abroad   *abroad   // where it is attached to what is not simulated; nil while it is not connected
	travels  bool      // it has been
	stranded bool      // its try to connect never ends
	blocks   bool      // an attempt of it holds up the process
	held     int       // bdevs that somebody keeps from going
}

type ctrlState string

const (
	ctrlEnabled   ctrlState = "enabled"
	ctrlResetting ctrlState = "resetting"
	ctrlDelayed   ctrlState = "reconnect_is_delayed"
	ctrlDisabled  ctrlState = "disabled"
	ctrlDeleting  ctrlState = "deleting"
	ctrlFailed    ctrlState = "failed"
)

func (ct *controller) via() *listener { return ct.at }
func (ct *controller) host() string   { return ct.hostNQN }
func (ct *controller) number() uint16 { return ct.id }

// silent says whether the peer answers nothing although nobody has noticed.
func (ct *controller) silent() bool {
	if ct.sub == nil {
		return false
	}
	q := ct.sub.p
	return ct.mute(q)
}

// peer finds who listens at the controller's address, nil if nobody can be reached.
func (ct *controller) peer() *process { return ct.p.t.c.fabric[ct.addr.key()] }

func (ct *controller) mute(q *process) bool { return q.stuck() || ct.cutOff(q) }

// connect tries once.
func (ct *controller) connect() bool {
	first := ct.id == 0
	q := ct.peer()
	if q == nil || ct.mute(q) {
		return false
	}
	s := q.subsystems[ct.nqn]
	if s == nil {
		return false
	}
	l, id, ok := s.reach(ct.hostNQN, ct.addr.key())
	if !ok || !ct.speaks(s) || !ct.proves(s) {
		return false
	}
	ct.unblock()
	ct.epoch++
	ct.state = ctrlEnabled
	ct.sub, ct.at, ct.id, ct.serial, ct.model, ct.ana = s, l, id, s.serial, s.model, s.ana
	s.conns = append(s.conns, ct)
	ct.trim = true
	for _, n := range s.spaces {
		ct.trim = ct.trim && n.bdev.types&ioUnmap != 0
	}
	if first {
		for _, id := range slices.Sorted(maps.Keys(s.spaces)) {
			ct.follow(id)
		}
	}
	for id, r := range ct.spaces {
		r.setAbsent(s.spaces[id] == nil)
	}
	return true
}

// changed is an event about a namespace. The initiator asks the peer which they
// are now, and does nothing else until it knows.
func (ct *controller) changed(id uint32) {
	switch {
	case ct.sub == nil:
	case ct.silent(): // the event arrives once the peer is heard again
		ct.missed = append(ct.missed, id)
	case ct.sub.p == ct.p: // of itself: it does not answer while it asks
		ct.p.asking = ct
	default:
		ct.p.t.c.event(ct)
		ct.news = append(ct.news, id)
		ct.p.soon(1, ct.still(func() { ct.learn() }))
	}
}

// learn is the answer about namespaces of which there were events.
func (ct *controller) learn() {
	switch {
	case len(ct.news) == 0 || ct.sub == nil:
	case ct.silent() || ct.sub.p.asks(ct.p):
		ct.ask()
	default:
		news := ct.news
		ct.news = nil
		for _, id := range news {
			ct.look(id)
		}
	}
}

// asks reports whether a process asks another about events, itself or by way of what
// it asks: as long as it does, it answers nobody.
func (p *process) asks(q *process) bool {
	seen, next := map[*process]bool{p: true}, []*process{p}
	for len(next) > 0 {
		of := next[len(next)-1]
		next = next[:len(next)-1]
		for _, ct := range of.nvme {
			switch {
			case len(ct.news) == 0 || ct.sub == nil:
			case ct.sub.p == q:
				return true
			case !seen[ct.sub.p]:
				seen[ct.sub.p] = true
				next = append(next, ct.sub.p)
			}
		}
	}
	return false
}

// askingTime is how long an initiator waits for each of the two things that it
// asks for at an event. Getting neither it ends with its memory corrupted.
const askingTime = 30 * time.Second

// ask waits for a peer that has sent an event and is silent now.
func (ct *controller) ask() {
	p := ct.p
	if p.asking != nil {
		return
	}
	p.asking = ct
	p.after(2*askingTime, func() {
		if p.asking == ct {
			p.crash()
		}
	})
}

// answered ends that the process waits for the peer of ct; others may have
// waited for the process.
func (ct *controller) answered() {
	p := ct.p
	if p.asking != ct {
		return
	}
	p.asking = nil
	p.after(0, func() {
		for _, t := range p.t.c.targets {
			if t.p != nil {
				t.p.noticeSilence()
			}
		}
	})
}

// look brings what the initiator knows of a namespace up to date.
func (ct *controller) look(id uint32) {
	switch {
	case ct.p.build().eventsTellAll:
		for _, id := range slices.Sorted(maps.Keys(ct.spaces)) {
			ct.follow(id)
		}
		for _, id := range slices.Sorted(maps.Keys(ct.sub.spaces)) {
			if ct.spaces[id] == nil {
				ct.follow(id)
			}
		}
	default:
		ct.follow(id)
	}
}

// follow brings the bdev of a namespace in line with it.
func (ct *controller) follow(id uint32) {
	n, r := ct.sub.spaces[id], ct.spaces[id]
	switch {
	case n != nil && r != nil:
		r.setAbsent(false)
		r.bdev.resize(n.bdev.numBlocks)
	case n != nil:
		ct.add(n)
	case r != nil:
		ct.drop(r)
	}
}

func (ct *controller) add(n *namespace) {
	r := &remote{ct: ct, nsid: n.id}
	r.bdev = &bdev{name: ct.name + "n" + strconv.Itoa(int(n.id)), uuid: n.uuid, product: "NVMe disk",
		blockSize: n.bdev.blockSize, numBlocks: n.bdev.numBlocks, dev: r}
	ct.spaces[n.id] = r
	if ct.p.register(r.bdev) != nil {
		delete(ct.spaces, n.id)
	}
}

func (ct *controller) drop(r *remote) {
	delete(ct.spaces, r.nsid)
	ct.held++
	ct.p.unregister(r.bdev, func() {
		if ct.held--; ct.held == 0 && ct.state == ctrlDeleting {
			ct.forget()
		}
	})
}

// reset is called when the peer closes the connection.
func (ct *controller) reset() { ct.lost() }

func (ct *controller) disconnect() {
	ct.comeHome()
	if ct.sub != nil {
		ct.sub.disconnect(ct)
		ct.sub, ct.at, ct.missed, ct.news = nil, nil, nil, nil
	}
	ct.answered() // what is asked of the peer ends with the connection
}

// destroy ends the controller with its bdevs.
func (ct *controller) destroy() {
	ct.unblock()
	ct.epoch++
	ct.state = ctrlDeleting
	ct.disconnect()
	ct.held++ // until all are told
	for _, id := range slices.Sorted(maps.Keys(ct.spaces)) {
		ct.drop(ct.spaces[id])
	}
	if ct.held--; ct.held == 0 {
		ct.forget()
	}
}

func (ct *controller) forget() {
	ct.p.nvme = slices.DeleteFunc(ct.p.nvme, func(x *controller) bool { return x == ct })
}

// disable cuts the connection from this end; I/O fails from now on.
func (ct *controller) disable() {
	ct.disconnect()
	ct.epoch++
	ct.state = ctrlDisabled
}

func (ct *controller) trid(b []byte, at address) []byte {
	if ct.local != nil {
		b = text(append(b, '{'), "trtype", "PCIe")
		return append(text(b, "traddr", at.Address), '}')
	}
	b = at.dump(b)
	return append(text(b[:len(b)-1], "subnqn", ct.nqn), '}')
}

func (ct *controller) describe(b []byte, nsid uint32) []byte {
	b = append(key(b, "nvme"), '[')
	for _, at := range ct.ways() {
		b = ct.way(append(item(b), '{'), at, nsid)
	}
	return text(append(b, ']'), "mp_policy", "active_passive")
}

func (ct *controller) way(b []byte, at address, nsid uint32) []byte {
	if ct.local != nil {
		b = text(b, "pci_address", at.Address)
	}
	b = ct.trid(key(b, "trid"), at)
	b = append(key(b, "ctrlr_data"), '{')
	b = number(b, "cntlid", uint64(ct.id))
	b = text(b, "vendor_id", "0x8086")
	b = text(b, "model_number", ct.model)
	b = text(b, "serial_number", ct.serial)
	b = text(b, "firmware_revision", ct.p.build().firmware)
	if ct.local == nil {
		b = text(b, "subnqn", ct.nqn)
	}
	b = append(key(b, "oacs"), `{"security":0,"format":0,"firmware":0,"ns_manage":0}`...)
	b = boolean(b, "multi_ctrlr", ct.local == nil)
	b = append(boolean(b, "ana_reporting", ct.ana), `},"vs":{"nvme_version":"`+ct.p.build().nvme+`"},"ns_data":{`...)
	b = number(b, "id", uint64(nsid))
	if ct.ana {
		state := "optimized"
		if ct.sub != nil && ct.sub.spaces[nsid] != nil {
			state = ct.at.state(ct.sub.spaces[nsid].group)
		}
		b = text(b, "ana_state", state)
	}
	return append(boolean(b, "can_share", ct.local == nil), '}', '}')
}
