package sim

import (
	"slices"
	"time"
)

// hungTimeout is how long trying to reach a peer takes whose kernel answers and
// which does not.
const hungTimeout = 10 * time.Second

// tryFor is how long an attempt to reach a peer that is mute takes.
func (ct *controller) tryFor(peer *process) time.Duration {
	if ct.cutOff(peer) {
		return ct.p.nvmeOpts.connectTimeout()
	}
	return hungTimeout
}

func (ct *controller) cutOff(peer *process) bool {
	return ct.p.t.c.cut[[2]string{ct.p.t.name, peer.t.name}] || ct.p.t.c.dark[ct.addr.Address]
}

// block makes the process wait for an attempt, in builds that do.
func (ct *controller) block(peer *process) {
	if ct.cutOff(peer) && ct.p.build().blocksConnecting && !ct.blocks {
		ct.blocks = true
		ct.p.connecting++
		ct.epoch++
	}
}

func (ct *controller) unblock() {
	if ct.blocks {
		ct.blocks = false
		ct.p.connecting--
	}
}

// lost starts reconnecting, as far as the controller was told to.
func (ct *controller) lost() {
	ct.disconnect()
	switch {
	case ct.p.dead:
	case ct.state == ctrlDeleting:
		ct.destroy()
	case ct.state == ctrlEnabled:
		ct.away()
		ct.turn()
		ct.p.soon(1, ct.still(ct.attempt))
	}
}

// away starts the clocks that a peer is given by.
func (ct *controller) away() {
	ct.epoch++
	ct.state = ctrlResetting
	if ct.lossTimeout != 0 && ct.fastFail > 0 {
		ct.p.after(seconds(int64(ct.fastFail)), ct.still(func() { ct.failIO = true }))
	}
	if ct.lossTimeout > 0 {
		ct.p.after(seconds(int64(ct.lossTimeout)), ct.still(ct.destroy))
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// still makes f harmless once the controller has connected, or ended.
func (ct *controller) still(f func()) func() {
	epoch := ct.epoch
	return func() {
		if ct.epoch == epoch {
			f()
		}
	}
}

// attempt tries to connect. A peer that refuses is tried again later; one that
// does not answer keeps the controller busy, for good or ill.
func (ct *controller) attempt() {
	ct.state = ctrlResetting
	ct.attempts++
	if ct.travels {
		ct.travelAgain()
		return
	}
	if ct.strand() || ct.connect() {
		return
	}
	q := ct.peer()
	if q == nil || !ct.mute(q) {
		ct.failed()
		return
	}
	ct.block(q)
	n := ct.attempts
	ct.p.after(ct.tryFor(q), ct.still(func() {
		ct.unblock()
		if ct.attempts == n {
			ct.failed()
		}
	}))
}

// failed is after an attempt in vain.
func (ct *controller) failed() {
	switch {
	case ct.state == ctrlDeleting:
		ct.destroy()
	case ct.lossTimeout == 0:
		ct.state = ctrlFailed
	case ct.reconnectDelay > 0 && ct.turn():
		ct.p.soon(1, ct.still(ct.attempt))
	default:
		ct.state = ctrlDelayed
		n := ct.attempts
		ct.p.after(seconds(int64(ct.reconnectDelay)), ct.still(func() {
			if ct.attempts == n && ct.state == ctrlDelayed {
				ct.attempt()
			}
		}))
	}
}

// noticeSilence starts the clocks by which a vanished network is noticed, and
// goes on where a peer is heard again.
func (p *process) noticeSilence() {
	for _, ct := range slices.Clone(p.nvme) {
		switch {
		case ct.local != nil, ct.stranded:
		case ct.sub == nil:
			if q := ct.peer(); ct.state == ctrlResetting && q != nil && !ct.mute(q) {
				ct.attempt()
			}
		case !ct.silent():
			ct.heard()
		case !ct.sub.p.stuck(): // the kernel of a hung peer still acknowledges
			p.after(p.nvmeOpts.ackTimeout(), ct.still(func() {
				if ct.silent() && p.asking == nil {
					ct.lost()
				}
			}))
		}
	}
}

// heard is when a peer is heard again that nobody missed.
func (ct *controller) heard() {
	ct.answered()
	ct.learn()
	if ct.state == ctrlDeleting {
		ct.destroy()
	}
	missed := ct.missed
	ct.missed = nil
	for _, id := range missed {
		ct.changed(id)
	}
}
