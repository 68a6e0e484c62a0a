package plan

import (
	"fmt"

	"strata/lineage"
)

// HostExchange is nvmf_subsystem_remove_host and nvmf_subsystem_add_host of the same host, one right after the other: from
// here on it comes with another TLS key, or with one or none. Its connections end. Where it cannot
// be let in with these keys it is let in as before; and by the guard, should strata die between the two.
type HostExchange struct {
	At
	NQN, Host lineage.NQN
	Keys      lineage.HostKeys `json:",omitzero"`
	Former    lineage.HostKeys `json:",omitzero"`
}

// Words are with which keys.
func (op HostExchange) Words() string {
	with := "without a key"
	if !op.Keys.IsZero() {
		with = "with " + keysWords(op.Keys)
	}
	return fmt.Sprintf("let %s in to %s %s only, and end its connections", op.Host, op.NQN, with)
}

// Facts are that its connections end.
func (op HostExchange) Facts() Facts {
	return Facts{RiskReduce, subsystemNamed(op.NQN), noHosts, noCopy}
}
func (op HostExchange) key() key {
	return append(key{subsystemNamed(op.NQN), text(op.Host)}, keysParts(op.Keys)...)
}
