package state

import (
	"slices"
	"strings"

	"strata/lineage"
	"strata/spdk"
)

// Path is one of several by which a controller reaches its peer.
type Path struct {
	Address string
	Port    string
	State   string
	// Behind is set when it does not know what the controller's own knows of what the peer
	// shows, or still has what is gone: of events while it was not connected it is not told
	// afterwards.
	Behind bool
}

// Portal is where it looks for the peer.
func (p Path) Portal() lineage.Portal { return lineage.Portal{Address: p.Address, Port: p.Port} }

// GivenUp reports whether the path will not come back by itself.
func (p Path) GivenUp() bool { return givenUp(p.State) }

// AddPath has a controller reach its peer by another path, too. It is the controller's own if
// that is not connected.
func (c *Controller) AddPath(p Path) {
	if p.State == "enabled" && c.State != "enabled" {
		p, c.Address, c.Port, c.State = Path{Address: c.Address, Port: c.Port, State: c.State}, p.Address, p.Port, p.State
	}
	c.Also = append(slices.Clone(c.Also), p)
}

// RemovePath takes a path away that is not the only one; the controller's own is then another
// that is connected, if any is. It reports false when it has no such path, or no other.
func (c *Controller) RemovePath(at lineage.Portal) bool {
	also := slices.Clone(c.Also)
	i := slices.IndexFunc(also, func(p Path) bool { return p.Portal() == at })
	switch {
	case len(also) == 0, i < 0 && c.Portal() != at:
		return false
	case i < 0:
		i = max(0, slices.IndexFunc(also, func(p Path) bool { return p.State == "enabled" }))
		c.Address, c.Port, c.State = also[i].Address, also[i].Port, also[i].State
	}
	c.Also = slices.Delete(also, i, i+1)
	return true
}

// SetState says how all paths stand.
func (c *Controller) SetState(state string) {
	c.State, c.Also = state, slices.Clone(c.Also)
	for i := range c.Also {
		c.Also[i].State = state
	}
}

// controller is one as it is listed. Of several paths its own is the one that has been
// connected longest, which knows all that the peer shows: a subsystem numbers its
// controllers one after the other.
func (a *answers) controller(c spdk.Controller) *Controller {
	out := &Controller{Name: c.Name}
	own := -1
	better := func(p, q spdk.ControllerPath) bool {
		if on := p.State == "enabled"; on != (q.State == "enabled") {
			return on
		} else if on {
			return p.CntlID < q.CntlID
		}
		return givenUp(q.State) && !givenUp(p.State)
	}
	for i, p := range c.Paths {
		if own < 0 || better(p, c.Paths[own]) {
			own = i
		}
	}
	for i, p := range c.Paths {
		if i == own {
			out.NQN, out.Address, out.Port, out.State = lineage.NQN(p.Trid.SubNQN), p.Trid.TrAddr, p.Trid.TrSvcID, p.State
			continue
		}
		out.Also = append(out.Also, Path{Address: p.Trid.TrAddr, Port: p.Trid.TrSvcID, State: p.State})
	}
	if len(out.Also) > 0 && out.State == "enabled" {
		a.behind(out)
	}
	return out
}

// behind finds the paths of a controller that do not know what its own knows.
func (a *answers) behind(c *Controller) {
	for i := range a.bdevs {
		b := &a.bdevs[i]
		if b.ProductName != "NVMe disk" || !strings.HasPrefix(b.Name, c.Name+"n") || len(b.Driver.NVMe) == 0 {
			continue
		}
		if ctrl, _, ok := cutLast(b.Name, "n"); !ok || ctrl != c.Name {
			continue
		}
		by := func(at lineage.Portal) bool {
			return slices.ContainsFunc(b.Driver.NVMe, func(n spdk.NVMeInfo) bool {
				return lineage.Portal{Address: n.Trid.TrAddr, Port: n.Trid.TrSvcID} == at
			})
		}
		own := by(c.Portal())
		for i := range c.Also {
			p := &c.Also[i]
			there := by(p.Portal())
			p.Behind = p.Behind || there && !own || own && !there && p.State == "enabled"
		}
	}
}
