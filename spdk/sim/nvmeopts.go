package sim

import (
	"time"
)

// nvmeOptions are those of bdev_nvme_set_options that change what happens here.
type nvmeOptions struct {
	Ack        uint32 `json:"transport_ack_timeout"`
	Retries    int32  `json:"bdev_retry_count"`
	Timeout    uint64 `json:"timeout_us"`
	Loss       int32  `json:"ctrlr_loss_timeout_sec"`
	Delay      uint32 `json:"reconnect_delay_sec"`
	FastFail   uint32 `json:"fast_io_fail_timeout_sec"`
	FailAction string `json:"action_on_timeout"`
}

var defaultNVMeOptions = nvmeOptions{Retries: 3}

// ackTimeout is how long it takes to notice that packets are not
// acknowledged: 1 s was seen with 10, 8 times that with 13; without it the
// kernel goes on for a quarter of an hour.
func (o nvmeOptions) ackTimeout() time.Duration {
	if o.Ack == 0 {
		return 15 * time.Minute
	}
	return time.Second << min(o.Ack, 31) >> 10
}

// connectTimeout is how long connecting takes to fail if nothing comes back.
func (o nvmeOptions) connectTimeout() time.Duration {
	if o.Ack == 0 {
		return 133 * time.Second
	}
	return o.ackTimeout()
}

// resilient says whether the three timeouts go together.
func resilient(loss int32, delay, fast uint32) bool {
	switch {
	case loss < -1:
		return false
	case loss == -1:
		return delay != 0 && (fast == 0 || fast >= delay)
	case loss == 0:
		return delay == 0 && fast == 0
	}
	return delay != 0 && delay <= uint32(loss) && (fast == 0 || fast >= delay && fast <= uint32(loss))
}

// stuck says whether the process answers nothing: it was stopped, it connects,
// it hangs on a peer, or it waits for what a peer has to say of its namespaces.
func (p *process) stuck() bool {
	return p.frozen || p.connecting > 0 || p.asking != nil || p.hungOn != nil && p.hungOn.sub != nil && p.hungOn.sub.p.frozen
}

// watch lets the process hang with a peer that does not answer a command in
// time: the initiator then reads a register from that peer, and waits.
func (p *process) watch(ct *controller) {
	if p.nvmeOpts.Timeout == 0 || !p.build().hangsOnTimeout || p.hungOn != nil {
		return
	}
	p.after(time.Duration(p.nvmeOpts.Timeout)*time.Microsecond, func() {
		if ct.silent() && p.hungOn == nil {
			p.hungOn = ct
		}
	})
}
