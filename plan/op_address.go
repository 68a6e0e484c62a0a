package plan

import (
	"fmt"

	"strata/lineage"
)

// ExpectAddress fails when the program that moves the address of a volume does not say
// where that is: hosts are held only if it works. It is no RPC: strata runs it itself.
type ExpectAddress struct {
	At
	NQN     lineage.NQN
	Address string
	Program string // as it is called
}

func (op ExpectAddress) Words() string {
	return fmt.Sprintf("make sure that %s says where %s is", op.Program, op.Address)
}

func (op ExpectAddress) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op ExpectAddress) key() key {
	return key{subsystemNamed(op.NQN), text(op.Address), text(op.Program)}
}

// AddressMove has the address of a volume moved to the node, by the program that does so,
// and ends when that says that the node has it and no other. It is no RPC. Nothing that
// strata can see listens at the address then: hosts find who does next.
type AddressMove struct {
	At
	NQN     lineage.NQN
	Address string
	Program string // as it is called
}

func (op AddressMove) Words() string {
	return fmt.Sprintf("move %s to %s by %s", op.Address, op.Node, op.Program)
}

func (op AddressMove) Facts() Facts {
	return Facts{RiskCreate, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op AddressMove) key() key {
	return key{subsystemNamed(op.NQN), text(op.Address), text(op.Program)}
}
