package plan

import "fmt"

// NodeOff has a node's fence agent switch its machine off, and ends when the agent says
// that it is off. It is no RPC: strata runs the agent itself, of a node that does not
// answer (Options.Off). It is in a section of its own, that of the node.
type NodeOff struct {
	At
	Agent string // as it is called
}

func (op NodeOff) Words() string { return fmt.Sprintf("switch %s off by %s", op.Node, op.Agent) }
func (op NodeOff) Facts() Facts  { return Facts{RiskReduce, noVolume{}, noHosts, noCopy} }
func (op NodeOff) key() key      { return key{text(op.Agent)} }
