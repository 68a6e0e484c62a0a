package plan

import (
	"strings"

	"strata/lineage"
)

// Op is one thing done to one node: an RPC, or what its fence agent does, with its
// effect on the Snapshot. The set is closed: all types stand in this package, in the
// files op_*.go, and each states beside its fields what follows from it for those who do not carry it out.
// What is done to a Snapshot, to a target, and what may be done at all is decided
// elsewhere, in switches that have a case for every type (TestSwitches).
//
// Lvols are named by alias where an RPC takes their name, and by UUID where
// they are legs. The UUID of an lvol that the plan creates is not known yet:
// a Token stands for it.
type Op interface {
	// On is the node that is called.
	On() lineage.Node
	// Words say what is done, without the node.
	Words() string
	// Facts are what follows from it.
	Facts() Facts
	// key has what makes it the same when the plan is made again (identity.go).
	key() key
}

// At is embedded in every Op.
type At struct {
	Node lineage.Node
}

// On returns the node that is called.
func (a At) On() lineage.Node { return a.Node }

// Token stands for the UUID of an lvol that a step of the plan creates.
func Token(n lineage.Node, lvstore string, name lineage.LvolName) lineage.UUID {
	return lineage.UUID(tokenPrefix + string(n) + "/" + lvstore + "/" + string(name))
}

const tokenPrefix = "new:"

func IsToken(u lineage.UUID) bool { return strings.HasPrefix(string(u), tokenPrefix) }
