package spdk

// Reactors is what framework_get_reactors answers, as far as it is used.
type Reactors struct {
	PID int `json:"pid"` // of the target's process; 0 from builds that do not say it
}

// GetReactors asks which process the target is (framework_get_reactors): the
// number changes when it is started again.
func GetReactors(out *Reactors) *Req { return &Req{Method: "framework_get_reactors", Result: out} }
