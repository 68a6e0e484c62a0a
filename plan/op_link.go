package plan

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
)

// InitiatorOptions is bdev_nvme_set_options, accepted only while the
// target has no controller.
type InitiatorOptions struct {
	At
	TransportAckTimeout int
}

func (op InitiatorOptions) Words() string {
	return fmt.Sprintf("set transport_ack_timeout %d for all its peers", op.TransportAckTimeout)
}
func (op InitiatorOptions) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op InitiatorOptions) key() key     { return key{number(op.TransportAckTimeout)} }

// ControllerAttach is bdev_nvme_attach_controller, over TCP or RDMA as its Links are.
type ControllerAttach struct {
	At
	Controller string
	NQN        lineage.NQN
	HostNQN    lineage.NQN
	Address    string
	// Others are tried one after another where the peer does not answer at Address.
	Others []string `json:",omitempty"`
	Port   string
	Links  schema.Links
	// Keys are by what it proves itself; zero for what lets it in without.
	Keys lineage.HostKeys `json:",omitzero"`
}

func (op ControllerAttach) Words() string {
	words := fmt.Sprintf("attach %s at %s as %s", op.NQN, lineage.Portal{Address: op.Address, Port: op.Port, RDMA: op.Links.RDMA}, op.Controller)
	if len(op.Others) > 0 {
		words += ", or at " + strings.Join(op.Others, ", ")
	}
	if !op.Keys.IsZero() {
		words += ", with " + keysWords(op.Keys)
	}
	return words
}
func (op ControllerAttach) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op ControllerAttach) key() key {
	l := op.Links
	parts := key{
		text(op.Controller), subsystemNamed(op.NQN), text(op.HostNQN), text(op.Address), text(op.Port),
		number(l.TransportAckTimeout), number(l.CtrlrLossTimeoutSec), number(l.ReconnectDelaySec), number(l.FastIOFailTimeoutSec), number(l.PatienceMs),
	}
	for _, a := range op.Others {
		parts = append(parts, text(a))
	}
	return append(append(parts, keysParts(op.Keys)...), rdmaPart(op.Links.RDMA)...)
}

// ControllerDisable is bdev_nvme_disable_controller: outstanding I/O fails
// and every leg on the peer is let go.
type ControllerDisable struct {
	At
	Controller string
}

func (op ControllerDisable) Words() string {
	if strings.Contains(op.Controller, ".~") { // nodes are not called so: it is a backup's
		return fmt.Sprintf("disable controller %s; what is sent by it ends", op.Controller)
	}
	return fmt.Sprintf("disable controller %s; every leg on that peer is let go", op.Controller)
}
func (op ControllerDisable) Facts() Facts { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op ControllerDisable) key() key     { return key{text(op.Controller)} }

// ControllerDetach is bdev_nvme_detach_controller.
type ControllerDetach struct {
	At
	Controller string
}

func (op ControllerDetach) Words() string { return fmt.Sprintf("detach controller %s", op.Controller) }
func (op ControllerDetach) Facts() Facts  { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op ControllerDetach) key() key      { return key{text(op.Controller)} }

// ControllerWait reads until a controller that lost its peer is enabled
// again; it tries every ReconnectDelaySec seconds.
type ControllerWait struct {
	At
	Controller        string
	ReconnectDelaySec int
}

func (op ControllerWait) Words() string {
	return fmt.Sprintf("wait until %s has reconnected", op.Controller)
}
func (op ControllerWait) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op ControllerWait) key() key     { return key{text(op.Controller), number(op.ReconnectDelaySec)} }

// LegWait reads until a namespace of a peer is there as a bdev, of Size bytes
// or more.
type LegWait struct {
	At
	Leg   lineage.UUID
	Size  int64
	Label Label
}

func (op LegWait) Words() string {
	if op.Size > 0 {
		return fmt.Sprintf("wait until %s has %s there", op.Label, amount.Bytes(op.Size))
	}
	return fmt.Sprintf("wait until %s is there", op.Label)
}
func (op LegWait) Facts() Facts { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op LegWait) key() key     { return key{bdevNamed(op.Label), number(op.Size)} }
func (op LegWait) label(called func(string) Label) Op {
	op.Label = called(string(op.Leg))
	return op
}

// LegGone reads until a namespace that a peer has taken away is no bdev any more.
type LegGone struct {
	At
	Leg   lineage.UUID
	Label Label
}

func (op LegGone) Words() string {
	return fmt.Sprintf("wait until %s is not there any more", op.Label)
}
func (op LegGone) Facts() Facts { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op LegGone) key() key     { return key{bdevNamed(op.Label)} }
func (op LegGone) label(called func(string) Label) Op {
	op.Label = called(string(op.Leg))
	return op
}
