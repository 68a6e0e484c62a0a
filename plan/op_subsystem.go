package plan

import (
	"fmt"

	"strata/lineage"
)

// TransportCreate is nvmf_create_transport, for TCP or RDMA.
type TransportCreate struct {
	At
	RDMA bool `json:",omitempty"`
}

func (op TransportCreate) Words() string {
	return "create the NVMe/" + lineage.Transport(op.RDMA) + " transport"
}
func (op TransportCreate) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op TransportCreate) key() key     { return rdmaPart(op.RDMA) }

// rdmaPart tells what is of RDMA from what is of TCP.
func rdmaPart(rdma bool) key {
	if rdma {
		return key{text("rdma")}
	}
	return nil
}

// SubsystemCreate is nvmf_create_subsystem.
type SubsystemCreate struct {
	At
	NQN           lineage.NQN
	Serial        string
	AnyHost       bool
	ANA           bool
	MaxNamespaces int
	IDs           lineage.IDs `json:",omitzero"`
}

func (op SubsystemCreate) Words() string { return fmt.Sprintf("create subsystem %s", op.NQN) }
func (op SubsystemCreate) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op SubsystemCreate) key() key {
	return key{subsystemNamed(op.NQN), derived{text(op.Serial)}, flag(op.AnyHost), flag(op.ANA), number(op.MaxNamespaces)}
}

// SubsystemDelete is nvmf_delete_subsystem.
type SubsystemDelete struct {
	At
	NQN lineage.NQN
}

func (op SubsystemDelete) Words() string { return fmt.Sprintf("delete subsystem %s", op.NQN) }
func (op SubsystemDelete) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), Hosts{op.NQN, ExportGone}, noCopy}
}
func (op SubsystemDelete) key() key { return key{subsystemNamed(op.NQN)} }

// HostAllow is nvmf_subsystem_add_host.
type HostAllow struct {
	At
	NQN, Host lineage.NQN
	// Keys are what it has to prove that it has; zero for a host that is believed.
	Keys lineage.HostKeys `json:",omitzero"`
}

func (op HostAllow) Words() string {
	if !op.Keys.IsZero() {
		return fmt.Sprintf("let %s in to %s, with %s", op.Host, op.NQN, keysWords(op.Keys))
	}
	return fmt.Sprintf("let %s in to %s", op.Host, op.NQN)
}
func (op HostAllow) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op HostAllow) key() key {
	return append(key{subsystemNamed(op.NQN), text(op.Host)}, keysParts(op.Keys)...)
}

// HostRefuse is nvmf_subsystem_remove_host.
type HostRefuse struct {
	At
	NQN, Host lineage.NQN
}

func (op HostRefuse) Words() string { return fmt.Sprintf("shut %s out of %s", op.Host, op.NQN) }
func (op HostRefuse) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op HostRefuse) key() key { return key{subsystemNamed(op.NQN), text(op.Host)} }

// Fence is nvmf_subsystem_remove_host of an engine's node on a link, with a time in
// which its connections have to end, and then a look that there are none
// (nvmf_subsystem_get_controllers). What the link shows stays.
type Fence struct {
	At
	NQN, Host lineage.NQN
	TimeoutMs int
}

func (op Fence) Words() string {
	return fmt.Sprintf("fence %s: shut it out of %s, and see that it is gone", op.Host, op.NQN)
}
func (op Fence) Facts() Facts { return Facts{RiskReduce, subsystemNamed(op.NQN), noHosts, noCopy} }
func (op Fence) key() key {
	return key{subsystemNamed(op.NQN), text(op.Host), number(op.TimeoutMs)}
}

// AnyHost is nvmf_subsystem_allow_any_host. Where only those that are listed are let in from
// then on, others that are connected (nvmf_subsystem_get_controllers) are listed before, and
// then refused, which ends their connections: to end what any host was let in to ends none.
type AnyHost struct {
	At
	NQN   lineage.NQN
	Allow bool
}

func (op AnyHost) Words() string {
	if op.Allow {
		return fmt.Sprintf("let every host in to %s", op.NQN)
	}
	return fmt.Sprintf("let only listed hosts in to %s, and end the connections of others", op.NQN)
}
func (op AnyHost) Facts() Facts {
	risk := RiskReduce
	if op.Allow {
		risk = RiskCreate
	}
	return Facts{risk, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op AnyHost) key() key { return key{subsystemNamed(op.NQN), flag(op.Allow)} }

// ListenerAdd is nvmf_subsystem_add_listener.
type ListenerAdd struct {
	At
	NQN     lineage.NQN
	Address string
	Port    string
	// Standby has hosts told that what is there is inaccessible: they have a path,
	// and none that leads to the disk.
	Standby bool `json:",omitempty"`
	TLS     bool `json:",omitempty"` // nobody is let in without
	RDMA    bool `json:",omitempty"` // it is of RDMA, else of TCP
}

func (op ListenerAdd) Words() string {
	words := fmt.Sprintf("listen for %s on %s", op.NQN, op.Portal())
	if op.TLS {
		words += ", by TLS alone"
	}
	if op.Standby {
		words += ", as a standby path"
	}
	return words
}

// Portal is where hosts reach the subsystem.
func (op ListenerAdd) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port, RDMA: op.RDMA}
}

func (op ListenerAdd) Facts() Facts {
	if op.Standby {
		return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
	}
	return Facts{RiskCreate, subsystemNamed(op.NQN), Hosts{op.NQN, PathGiven}, noCopy}
}
func (op ListenerAdd) key() key {
	k := key{subsystemNamed(op.NQN), text(op.Address), text(op.Port)}
	if op.Standby {
		k = append(k, text("standby"))
	}
	if op.TLS {
		k = append(k, text("tls"))
	}
	return append(k, rdmaPart(op.RDMA)...)
}

// ListenerRemove is nvmf_subsystem_remove_listener: hosts lose the path.
type ListenerRemove struct {
	At
	NQN     lineage.NQN
	Address string
	Port    string
	RDMA    bool `json:",omitempty"`
}

func (op ListenerRemove) Words() string {
	return fmt.Sprintf("stop listening for %s on %s", op.NQN, op.Portal())
}

// Portal is where hosts do not reach the subsystem any more.
func (op ListenerRemove) Portal() lineage.Portal {
	return lineage.Portal{Address: op.Address, Port: op.Port, RDMA: op.RDMA}
}

func (op ListenerRemove) Facts() Facts {
	return Facts{RiskPause, subsystemNamed(op.NQN), Hosts{op.NQN, PathTaken}, noCopy}
}
func (op ListenerRemove) key() key {
	return append(key{subsystemNamed(op.NQN), text(op.Address), text(op.Port)}, rdmaPart(op.RDMA)...)
}

// ExpectPaths fails when a host is connected to the subsystem here and not on another
// node, by nvmf_subsystem_get_controllers of both: without the engine here it would be
// left without its disk.
type ExpectPaths struct {
	At
	NQN  lineage.NQN
	Also lineage.Node
}

func (op ExpectPaths) Words() string {
	return fmt.Sprintf("make sure that every host of %s has a path to %s as well", op.NQN, op.Also)
}
func (op ExpectPaths) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op ExpectPaths) key() key { return key{subsystemNamed(op.NQN), text(op.Also)} }

// NamespaceAdd is nvmf_subsystem_add_ns. Without UUID the namespace has
// the bdev's.
type NamespaceAdd struct {
	At
	NQN   lineage.NQN
	NSID  int    // on a link it follows from the volume's id, as far as others leave it free
	Bdev  string // RAID, or a leg by UUID
	UUID  lineage.UUID
	Label Label
}

func (op NamespaceAdd) Words() string {
	return fmt.Sprintf("show %s as namespace %d of %s", op.Label, op.NSID, op.NQN)
}
func (op NamespaceAdd) Facts() Facts { return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy} }
func (op NamespaceAdd) key() key {
	return key{subsystemNamed(op.NQN), derived{number(op.NSID)}, bdevNamed(op.Label)}
}
func (op NamespaceAdd) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}

// NamespaceRemove is nvmf_subsystem_remove_ns.
type NamespaceRemove struct {
	At
	NQN   lineage.NQN
	NSID  int
	Bdev  string // what it shows
	Label Label
}

func (op NamespaceRemove) Words() string {
	return fmt.Sprintf("take namespace %d (%s) off %s", op.NSID, op.Label, op.NQN)
}
func (op NamespaceRemove) Facts() Facts {
	return Facts{RiskCreate, bdevNamed(op.Label), noHosts, noCopy}
}
func (op NamespaceRemove) key() key {
	return key{subsystemNamed(op.NQN), derived{number(op.NSID)}, bdevNamed(op.Label)}
}
func (op NamespaceRemove) label(called func(string) Label) Op {
	op.Label = called(op.Bdev)
	return op
}

// Pause holds hosts' I/O, wherever they come in: nvmf_subsystem_listener_set_ana_state
// inaccessible for each listener, then nvmf_subsystem_set_ns_ana_group, which returns
// when outstanding I/O is done.
type Pause struct {
	At
	NQN      lineage.NQN
	NSID     int
	ANAGroup int
	Portals  []lineage.Portal
	LimitMs  int // the section is given up when draining takes longer
}

func (op Pause) Words() string {
	return fmt.Sprintf("hold I/O on %s and drain it, at most %d ms", op.NQN, op.LimitMs)
}
func (op Pause) Facts() Facts {
	return Facts{RiskPause, subsystemNamed(op.NQN), Hosts{op.NQN, IOHeld}, noCopy}
}
func (op Pause) key() key {
	return append(key{subsystemNamed(op.NQN), derived{number(op.NSID)}, number(op.ANAGroup), number(op.LimitMs)}, portals(op.Portals)...)
}

// Drain is nvmf_subsystem_set_ns_ana_group with the namespace's own group: it
// is answered when the namespace's I/O is done, and with it whatever was
// begun on the export before.
type Drain struct {
	At
	NQN      lineage.NQN
	NSID     int
	ANAGroup int
}

func (op Drain) Words() string {
	return fmt.Sprintf("wait until what was begun on %s is done", op.NQN)
}
func (op Drain) Facts() Facts { return Facts{RiskPause, subsystemNamed(op.NQN), noHosts, noCopy} }
func (op Drain) key() key {
	return key{subsystemNamed(op.NQN), derived{number(op.NSID)}, number(op.ANAGroup)}
}

// Resume is nvmf_subsystem_listener_set_ana_state optimized, for each listener.
type Resume struct {
	At
	NQN     lineage.NQN
	Portals []lineage.Portal
}

func (op Resume) Words() string { return fmt.Sprintf("let I/O on %s go on", op.NQN) }
func (op Resume) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), Hosts{op.NQN, IOGoesOn}, noCopy}
}
func (op Resume) key() key { return append(key{subsystemNamed(op.NQN)}, portals(op.Portals)...) }

func portals(all []lineage.Portal) (parts key) {
	for _, p := range all {
		parts = append(append(parts, text(p.Address), text(p.Port)), rdmaPart(p.RDMA)...)
	}
	return parts
}
