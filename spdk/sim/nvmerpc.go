package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
)

func init() {
	op := coded(codeInvalidParams, einval)
	register(
		writes("bdev_nvme_set_options", (*process).setNVMeOptions),
		writes("bdev_nvme_attach_controller", (*process).attach),
		writes("bdev_nvme_detach_controller", (*process).detach),
		reads("bdev_nvme_get_controllers", (*process).getControllers),
		writes("bdev_nvme_disable_controller", (*process).disableController).refusing(op),
		writes("bdev_nvme_enable_controller", (*process).enableController).refusing(op),
		writes("bdev_nvme_reset_controller", (*process).resetController).refusing(op),
	)
}

func (p *process) setNVMeOptions(q *json.RawMessage) (any, error) {
	o := p.nvmeOpts
	if len(*q) > 0 && json.Unmarshal(*q, &o) != nil {
		return nil, errDecode
	}
	if !resilient(o.Loss, o.Delay, o.FastFail) || o.Retries < -1 {
		return nil, errno(einval)
	}
	if len(p.nvme) > 0 {
		return nil, &Error{-int(eperm), "RPC not permitted with nvme controllers already attached"}
	}
	p.nvmeOpts = o
	return true, nil
}

func (p *process) controller(name string) *controller {
	for _, ct := range p.nvme {
		if ct.name == name {
			return ct
		}
	}
	return nil
}

type attachment struct {
	Name string `json:"name"`
	address
	NQN       string  `json:"subnqn"`
	HostNQN   string  `json:"hostnqn"`
	Loss      *int32  `json:"ctrlr_loss_timeout_sec"`
	Delay     *uint32 `json:"reconnect_delay_sec"`
	FastFail  *uint32 `json:"fast_io_fail_timeout_sec"`
	Multipath string  `json:"multipath"`
	PSK       string  `json:"psk"`
	keys
}

func (p *process) attach(q *attachment) (any, error) {
	if q.HostNQN == "" {
		q.HostNQN = p.hostID
	}
	switch ct := p.controller(q.Name); {
	case ct != nil && ct.leads(q):
		return ct.detour(q.address)
	case ct != nil && q.Multipath == "failover" && ct.local == nil:
		return ct.alternate(q)
	case ct != nil:
		return nil, ct.refuse(q)
	}
	ct := &controller{p: p, name: q.Name, addr: q.address, nqn: q.NQN, hostNQN: q.HostNQN,
		lossTimeout: p.nvmeOpts.Loss, reconnectDelay: p.nvmeOpts.Delay, fastFail: p.nvmeOpts.FastFail,
		failover: q.Multipath == "failover", spaces: map[uint32]*remote{}}
	found, known := p.keysOf(q.keys)
	if !known {
		return nil, errno(enokey)
	}
	ct.keys, ct.attachedWith = found, found
	if q.PSK != "" {
		if ct.psk = p.key(q.PSK); ct.psk == nil {
			return nil, errno(enokey)
		}
	}
	if ct.addr.Family == "" {
		ct.addr.Family = "IPv4"
	}
	if q.Loss != nil {
		ct.lossTimeout = *q.Loss
	}
	if q.Delay != nil {
		ct.reconnectDelay = *q.Delay
	}
	if q.FastFail != nil {
		ct.fastFail = *q.FastFail
	}
	for _, other := range p.nvme {
		if strings.EqualFold(other.addr.Type, ct.addr.Type) && other.addr.key() == ct.addr.key() && other.nqn == ct.nqn && other.hostNQN == ct.hostNQN {
			return nil, errno(eexist)
		}
	}
	if !resilient(ct.lossTimeout, ct.reconnectDelay, ct.fastFail) {
		return nil, errno(einval)
	}
	switch {
	case strings.EqualFold(q.Type, "PCIe"):
		return p.attachLocal(ct)
	case !fabrics[strings.ToUpper(q.Type)]:
		return nil, errno(enodev)
	}
	// The name is taken from now on, though nobody sees the controller yet.
	for _, n := range p.attaching {
		if n == q.Name {
			return nil, pathExists(q.Name)
		}
	}
	p.attaching = append(p.attaching, q.Name)
	named := func(there bool) {
		for i, n := range p.attaching {
			if n == q.Name {
				p.attaching = append(p.attaching[:i:i], p.attaching[i+1:]...)
				break
			}
		}
		if there {
			p.nvme = append(p.nvme, ct)
		}
	}
	if ct.peer() == nil && p.t.c.opts.Dial != nil && strings.EqualFold(q.Type, "TCP") {
		return p.attachAbroad(ct, named)
	}
	finish := func() (any, error) {
		named(true)
		ct.unblock()
		if !ct.connect() {
			ct.forget()
			if peer := ct.peer(); (peer == nil || ct.cutOff(peer)) && !p.build().recent { // nobody listens
				return nil, errno(enodev)
			}
			return nil, errno(eio)
		}
		names := []string{}
		for _, id := range slices.Sorted(maps.Keys(ct.spaces)) {
			names = append(names, ct.spaces[id].bdev.name)
		}
		return names, nil
	}
	if peer := ct.peer(); peer != nil && ct.mute(peer) {
		ct.block(peer)
		heard := func() bool {
			x := ct.peer()
			if x != nil && ct.mute(x) {
				return false
			}
			ct.unblock()
			return true
		}
		return nil, &later{ready: heard, limit: ct.tryFor(peer), done: func(bool) (any, error) { return finish() }}
	}
	if p.t.c.opts.Tick == 0 {
		return finish()
	}
	there := false
	p.soon(12, func() { there = true })
	return nil, &later{ready: func() bool { return there }, done: func(bool) (any, error) { return finish() }}
}

func pathExists(name string) *Error {
	return &Error{-int(ealready), fmt.Sprintf("A controller named %s already exists with the specified network path", name)}
}

// refuse answers an attach under a name that is there. A second path to a simulated
// subsystem, which SPDK would add, is not simulated.
func (ct *controller) refuse(q *attachment) *Error {
	say := func(n syscall.Errno, f string, a ...any) *Error { return &Error{-int(n), fmt.Sprintf(f, a...)} }
	switch {
	case q.Multipath == "disable":
		return say(ealready, "A controller named %s already exists and multipath is disabled", q.Name)
	case q.Address == ct.addr.Address && q.Service == ct.addr.Service:
		return pathExists(q.Name)
	case q.NQN != ct.nqn:
		return say(einval, "A controller named %s already exists, but uses a different subnqn (%s)", q.Name, ct.nqn)
	case q.HostNQN != ct.hostNQN:
		return say(einval, "A controller named %s already exists, but uses a different hostnqn (%s)", q.Name, ct.hostNQN)
	}
	other := controller{p: ct.p, addr: q.address, nqn: q.NQN, hostNQN: q.HostNQN}
	if peer := other.peer(); peer == nil || peer.subsystems[q.NQN] == nil {
		return errno(eio)
	}
	return errno(einval)
}

// attachLocal attaches a disk in the machine by its PCI address.
func (p *process) attachLocal(ct *controller) (any, error) {
	d, err := p.t.disk(ct.addr.Address)
	if err != nil || d == nil {
		return nil, errno(enodev)
	}
	d.trims = true
	ct.local, ct.state, ct.serial, ct.model = d, ctrlEnabled, "SIM"+ct.addr.Address, "simulated NVMe disk"
	const block = 512
	b := &bdev{name: ct.name + "n1", product: "NVMe disk", blockSize: block, numBlocks: uint64(d.size / block),
		dev: &local{disk: d, types: nvmeTypes, ctrl: ct, desc: func(b []byte) []byte { return ct.describe(b, 1) }}}
	if p.register(b) != nil {
		return nil, errno(eexist)
	}
	p.nvme = append(p.nvme, ct)
	ct.localBdev = b
	return []string{b.name}, nil
}

func (p *process) detach(q *struct {
	Name string `json:"name"`
	address
}) (any, error) {
	ct := p.controller(q.Name)
	if ct == nil {
		return nil, errno(enodev)
	}
	if q.Address != "" && (ct.leave(q.address) || ct.without(q.address)) {
		return true, nil
	}
	if q.Address != "" && len(ct.others) > 0 && q.address.key() == ct.addr.key() {
		return p.goOn(ct, q.address)
	}
	if q.Address != "" && (len(ct.before) > 0 || q.address.key() != ct.addr.key()) {
		return nil, errno(enodev)
	}
	if ct.local != nil {
		ct.forget()
		return p.removal(ct.localBdev)
	}
	timedOut := errno(etimeout)
	if ct.state == ctrlResetting && !ct.stranded {
		ct.state = ctrlDeleting
		return nil, &later{ready: func() bool { return p.controller(q.Name) != ct }, done: func(bool) (any, error) { return true, nil }}
	}
	if ct.silent() {
		ct.state = ctrlDeleting
		return nil, &later{ready: func() bool { return !ct.silent() }, limit: 10 * time.Second,
			done: func(expired bool) (any, error) {
				if expired {
					return nil, timedOut
				}
				ct.destroy()
				return true, nil
			}}
	}
	ct.destroy()
	if ct.held == 0 {
		return true, nil
	}
	return nil, &later{ready: func() bool { return ct.held == 0 }, limit: 10 * time.Second,
		done: func(expired bool) (any, error) {
			if expired {
				return nil, timedOut
			}
			ct.forget()
			return true, nil
		}}
}

func (p *process) getControllers(q *struct {
	Name *string `json:"name"`
}) (any, error) {
	cts := p.nvme
	if q.Name != nil {
		ct := p.controller(*q.Name)
		if ct == nil {
			code := -int(einval)
			if !p.build().recent {
				code = int(einval)
			}
			return nil, &Error{code, fmt.Sprintf("Controller %s does not exist", *q.Name)}
		}
		cts = []*controller{ct}
	}
	out := []byte{'['}
	for _, ct := range cts {
		out = text(append(item(out), '{'), "name", ct.name)
		out = append(key(out, "ctrlrs"), '[')
		for _, at := range ct.ways() {
			out = text(append(item(out), '{'), "state", string(ct.state))
			out = ct.trid(key(out, "trid"), at)
			if len(ct.others) > 0 {
				out = append(key(out, "alternate_trids"), '[')
				for _, a := range ct.others {
					out = ct.trid(item(out), a.addr)
				}
				out = append(out, ']')
			}
			out = number(out, "cntlid", uint64(ct.id))
			out = text(append(key(out, "host"), '{'), "nqn", ct.hostNQN)
			out = append(out, `,"addr":"","svcid":""`...)
			if p.build().recent {
				out = boolean(out, "no_shn_notification", false)
			}
			out = append(out, "}}"...)
		}
		out = append(out, "]}"...)
	}
	return json.RawMessage(append(out, ']')), nil
}

// operable finds a controller that may be disabled, enabled or reset.
func (p *process) operable(name string) (*controller, error) {
	ct := p.controller(name)
	switch {
	case ct == nil:
		return nil, errno(enodev)
	case ct.state == ctrlDeleting:
		return nil, &Error{-int(syscall.ENXIO), "No such device or address"}
	case ct.state == ctrlResetting:
		return nil, errno(ebusy)
	}
	return ct, nil
}

func (p *process) disableController(q *named) (any, error) {
	ct, err := p.operable(q.Name)
	if err != nil {
		return nil, err
	}
	ct.disable()
	return true, nil
}

func (p *process) enableController(q *named) (any, error) {
	ct, err := p.operable(q.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case ct.state != ctrlDisabled:
		return true, nil
	case ct.local != nil:
		ct.state = ctrlEnabled
		return true, nil
	}
	ct.away()
	return ct.tried()
}

func (p *process) resetController(q *named) (any, error) {
	ct, err := p.operable(q.Name)
	if err != nil {
		return nil, err
	}
	if ct.state == ctrlDisabled || ct.local != nil { // nothing is done
		return true, nil
	}
	if ct.disconnect(); ct.state == ctrlEnabled {
		ct.away()
	}
	return ct.tried()
}

// tried tries to connect, and answers once that has come to something.
func (ct *controller) tried() (any, error) {
	ct.attempt()
	over := func() bool { return ct.state != ctrlResetting }
	answer := func(bool) (any, error) {
		if ct.state != ctrlEnabled {
			return nil, errno(eperm)
		}
		return true, nil
	}
	if over() {
		return answer(false)
	}
	return nil, &later{ready: over, done: answer}
}
