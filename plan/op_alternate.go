package plan

import (
	"fmt"

	"strata/lineage"
)

// AlternateAdd is bdev_nvme_attach_controller under the name of a controller that is there, with
// multipath "failover": where it does not reach its peer any more it looks for it at this
// address, too. The target connects there once, to see that it is the same peer.
type AlternateAdd struct {
	At
	Controller string
	NQN        lineage.NQN
	HostNQN    lineage.NQN
	Address    string
	Port       string
	RDMA       bool `json:",omitempty"` // it is looked for there over RDMA, as its controller does
	// Keys are by what it proves itself; zero for what lets it in without.
	Keys lineage.HostKeys `json:",omitzero"`
}

func (op AlternateAdd) Words() string {
	return fmt.Sprintf("have %s go on at %s where its peer does not answer otherwise", op.Controller, op.Portal())
}
func (op AlternateAdd) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op AlternateAdd) key() key {
	return append(key{text(op.Controller), subsystemNamed(op.NQN), text(op.HostNQN), text(op.Address), text(op.Port)}, append(keysParts(op.Keys), rdmaPart(op.RDMA)...)...)
}

// Portal is where the peer is looked for, too.
func (op AlternateAdd) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port, RDMA: op.RDMA}
}

// AlternateRemove is bdev_nvme_detach_controller of one address: the controller does not look
// for its peer there any more.
type AlternateRemove struct {
	At
	Controller string
	Address    string
	Port       string
	RDMA       bool `json:",omitempty"`
}

func (op AlternateRemove) Words() string {
	return fmt.Sprintf("have %s not look for its peer at %s any more", op.Controller, op.Portal())
}
func (op AlternateRemove) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op AlternateRemove) key() key {
	return append(key{text(op.Controller), text(op.Address), text(op.Port)}, rdmaPart(op.RDMA)...)
}

// Portal is where the peer is not looked for any more.
func (op AlternateRemove) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port, RDMA: op.RDMA}
}
