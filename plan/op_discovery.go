package plan

import (
	"fmt"

	"strata/lineage"
)

// DiscoveryListen is nvmf_subsystem_add_listener of the target's discovery subsystem: hosts
// that look for volumes are answered there, and told of it.
type DiscoveryListen struct {
	At
	Address string
	Port    string
}

func (op DiscoveryListen) Words() string {
	return fmt.Sprintf("answer hosts that look for volumes at %s", op.Portal())
}
func (op DiscoveryListen) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op DiscoveryListen) key() key     { return key{text(op.Address), text(op.Port)} }

// Portal is where hosts are answered.
func (op DiscoveryListen) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port}
}

// Refer is nvmf_discovery_add_referral: hosts that look for volumes here are told where others
// are answered.
type Refer struct {
	At
	To      lineage.Node
	Address string
	Port    string
}

func (op Refer) Words() string {
	return fmt.Sprintf("refer hosts that look for volumes to %s at %s", op.To, op.Portal())
}
func (op Refer) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op Refer) key() key     { return key{text(op.To), text(op.Address), text(op.Port)} }

// Portal is where hosts are referred to.
func (op Refer) Portal() lineage.Portal { return lineage.Portal{Address: op.Address, Port: op.Port} }
