package fence

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
)

// metadata is what an agent says of itself.
type metadata struct {
	XMLName xml.Name `xml:"resource-agent"`
	Actions []struct {
		Name string `xml:"name,attr"`
	} `xml:"actions>action"`
}

// suits refuses what is no fence agent, or one that cuts something else than power.
//
// The exit code that says that a node is off, 2, is also that of shells, of Python and
// of others when they cannot read a script or do not know an argument. So a program has
// to show that it is an agent before it is believed. An agent that takes a node off a
// network or a disk (fabric fencing) has no action "reboot", by the rules of its kind;
// what the node serves would be served still, and again to all once it is let back.
func (a *Agent) suits(ctx context.Context) error {
	said, err := a.ask(ctx, actionMetadata)
	if err != nil {
		return err
	}
	if said.code != 0 {
		return said.failure()
	}
	var m metadata
	if err := xml.Unmarshal(said.out, &m); err != nil {
		return fmt.Errorf("%s: it does not say what it is, in XML with resource-agent, to action=metadata: %w", a.Fence.Agent(), err)
	}
	var known []string
	for _, action := range m.Actions {
		known = append(known, action.Name)
	}
	for _, action := range []string{actionOff, actionStatus, actionMonitor} {
		if !slices.Contains(known, action) {
			return fmt.Errorf("%s: it has no action %s", a.Fence.Agent(), action)
		}
	}
	if !slices.Contains(known, actionReboot) {
		return fmt.Errorf("%s: it has no action reboot, so it does not cut power: what the node serves would go on; an agent is needed that switches the machine off", a.Fence.Agent())
	}
	return nil
}
