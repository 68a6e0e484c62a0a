package spdk

// Reactors is what framework_get_reactors answers, as far as it is used.
type Reactors struct {
	PID int `json:"pid"` // of the target's process; 0 from builds that do not say it
}

// GetReactors asks which process the target is (framework_get_reactors): the
// number changes when it is started again. What it reads is also what [Client.Process]
// answers from then on.
func GetReactors(out *Reactors) *Req { return &Req{Method: "framework_get_reactors", Result: out} }

// Process is which process the target is, if that was asked on the connection that stands:
// as long as it stands it leads to that process. Through a proxy it is never known.
func (c *Client) Process() (Reactors, bool) {
	if cn := c.standing(); cn != nil {
		if r := cn.reactors.Load(); r != nil {
			return *r, true
		}
	}
	return Reactors{}, false
}
