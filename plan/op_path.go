package plan

import (
	"fmt"

	"strata/lineage"
	"strata/schema"
)

// PathAttach is bdev_nvme_attach_controller under a name that is there already: another
// path by which the node reaches its peer. What the peer shows is reached by both from then on.
type PathAttach struct {
	At
	Controller string
	NQN        lineage.NQN
	HostNQN    lineage.NQN
	Address    string
	Port       string
	Links      schema.Links
}

func (op PathAttach) Words() string {
	return fmt.Sprintf("reach what %s brings at %s, too", op.Controller, op.Portal())
}

// Portal is where the path leads.
func (op PathAttach) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port}
}
func (op PathAttach) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op PathAttach) key() key {
	l := op.Links
	return key{
		text(op.Controller), subsystemNamed(op.NQN), text(op.HostNQN), text(op.Address), text(op.Port),
		number(l.TransportAckTimeout), number(l.CtrlrLossTimeoutSec), number(l.ReconnectDelaySec), number(l.FastIOFailTimeoutSec), number(l.PatienceMs),
	}
}

// PathDetach is bdev_nvme_detach_controller of one path of several: what the peer shows is
// reached by the others from then on.
type PathDetach struct {
	At
	Controller string
	Address    string
	Port       string
	// Behind is set where the path goes because it does not know what the peer shows. If
	// it knows that by the time it is to go, it stays.
	Behind bool `json:",omitempty"`
}

func (op PathDetach) Words() string {
	return fmt.Sprintf("reach what %s brings at %s no more, but by its other paths", op.Controller, op.Portal())
}

// Portal is where the path led.
func (op PathDetach) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port}
}
func (op PathDetach) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op PathDetach) key() key {
	k := key{text(op.Controller), text(op.Address), text(op.Port)}
	if op.Behind {
		k = append(k, text("behind"))
	}
	return k
}
