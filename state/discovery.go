package state

import (
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// Discovery is how hosts that look for volumes find a node, and by it others. A list is
// replaced, never changed.
type Discovery struct {
	Listeners []lineage.Portal // of the discovery subsystem
	Referrals []lineage.Portal // to discovery subsystems elsewhere
}

// Listen adds a listener.
func (d *Discovery) Listen(p lineage.Portal) { d.Listeners = append(slices.Clip(d.Listeners), p) }

// Refer adds a referral.
func (d *Discovery) Refer(p lineage.Portal) { d.Referrals = append(slices.Clip(d.Referrals), p) }

// discovery reads it off a target's answers.
func (a *answers) discovery(sub *spdk.Subsystem) (d Discovery) {
	for _, l := range sub.ListenAddresses {
		d.Listen(portal(l))
	}
	for _, r := range a.referrals {
		if r.NQN == sub.NQN {
			d.Refer(portal(r.Address))
		}
	}
	return d
}
