package spdk

import "context"

// DiscoveryNQN is the subsystem of every target that answers hosts that look for others.
const DiscoveryNQN = "nqn.2014-08.org.nvmexpress.discovery"

// Referral is one entry of nvmf_discovery_get_referrals: where hosts that look for subsystems
// are told to look as well.
type Referral struct {
	Address Address `json:"address"`
	NQN     string  `json:"subnqn"`
}

func (r *Referral) lacks() string { return lacking(part{"transport", r.Address.TrType != ""}) }

// GetReferrals reads every referral (nvmf_discovery_get_referrals).
func GetReferrals(out *[]Referral) *Req {
	return listing(&Req{Method: "nvmf_discovery_get_referrals"}, out)
}

// ReferralAdd tells hosts that look for subsystems to look at an address as well
// (nvmf_discovery_add_referral). One that is there already is accepted again.
type ReferralAdd struct {
	Address Address `json:"address"`
	NQN     string  `json:"subnqn,omitzero"` // "": DiscoveryNQN
}

func (ReferralAdd) Method() string   { return "nvmf_discovery_add_referral" }
func (p ReferralAdd) Object() string { return p.Address.TrAddr }

// ReferralAdd adds a referral (nvmf_discovery_add_referral).
func (c *Client) ReferralAdd(ctx context.Context, p ReferralAdd) error {
	return c.do(ctx, NewReq(p, nil))
}
