package spdk

import "context"

// ListenerAdd lets a subsystem listen (nvmf_subsystem_add_listener).
type ListenerAdd struct {
	NQN      string   `json:"nqn"`
	Address  Address  `json:"listen_address"`
	ANAState ANAState `json:"ana_state,omitzero"` // "": optimized
	// Secure has all connections be of TLS (SPDK v26.05). Where the target listens at the address already,
	// for whatever subsystem, and not so, it does nothing, and the target answers true and
	// lists it as secure (seen).
	Secure bool `json:"secure_channel,omitzero"`
}

func (ListenerAdd) Method() string   { return "nvmf_subsystem_add_listener" }
func (p ListenerAdd) Object() string { return p.NQN }

// ListenerAdd lets a subsystem listen; a second time is Invalid
// (nvmf_subsystem_add_listener).
func (c *Client) ListenerAdd(ctx context.Context, p ListenerAdd) error {
	return c.do(ctx, NewReq(p, nil))
}

// ListenerRemove takes a listener away (nvmf_subsystem_remove_listener).
type ListenerRemove struct {
	NQN     string  `json:"nqn"`
	Address Address `json:"listen_address"`
}

func (ListenerRemove) Method() string   { return "nvmf_subsystem_remove_listener" }
func (p ListenerRemove) Object() string { return p.NQN }

// ListenerRemove takes a listener and the connections made through it away
// (nvmf_subsystem_remove_listener).
func (c *Client) ListenerRemove(ctx context.Context, p ListenerRemove) error {
	return c.do(ctx, NewReq(p, nil))
}

// ANAState is a path's asymmetric access state.
type ANAState string

const (
	Optimized    ANAState = "optimized"
	NonOptimized ANAState = "non_optimized"
	Inaccessible ANAState = "inaccessible"
)

// SetANAState sets a listener's state (nvmf_subsystem_listener_set_ana_state).
// The subsystem must have been created with ANAReporting.
type SetANAState struct {
	NQN      string   `json:"nqn"`
	Address  Address  `json:"listen_address"`
	State    ANAState `json:"ana_state"`
	ANAGroup uint32   `json:"anagrpid,omitzero"` // 0: all groups
}

func (SetANAState) Method() string   { return "nvmf_subsystem_listener_set_ana_state" }
func (p SetANAState) Object() string { return p.NQN }

// SetANAState sets a listener's state (nvmf_subsystem_listener_set_ana_state).
func (c *Client) SetANAState(ctx context.Context, p SetANAState) error {
	return c.do(ctx, NewReq(p, nil))
}

// Listener is one entry of nvmf_subsystem_get_listeners.
type Listener struct {
	Address Address    `json:"address"`
	ANA     []ANAGroup `json:"ana_states"` // one for each of the subsystem's groups
}

// ANAGroup is a listener's state for the namespaces of one group.
type ANAGroup struct {
	Group uint32   `json:"ana_group"` // 1 is the first
	State ANAState `json:"ana_state"`
}

// State is the listener's state for a group; "" if the target did not say.
func (l *Listener) State(group uint32) ANAState {
	for _, g := range l.ANA {
		if g.Group == group {
			return g.State
		}
	}
	return ""
}

// ListenersGet names the subsystem (nvmf_subsystem_get_listeners).
type ListenersGet struct {
	NQN string `json:"nqn"`
}

func (ListenersGet) Method() string   { return "nvmf_subsystem_get_listeners" }
func (p ListenersGet) Object() string { return p.NQN }

// GetListeners reads a subsystem's listeners (nvmf_subsystem_get_listeners).
func GetListeners(nqn string, out *[]Listener) *Req {
	return listing(NewReq(ListenersGet{nqn}, nil), out)
}

// GetListeners reads a subsystem's listeners (nvmf_subsystem_get_listeners).
func (c *Client) GetListeners(ctx context.Context, nqn string) ([]Listener, error) {
	var out []Listener
	err := c.do(ctx, GetListeners(nqn, &out))
	return out, err
}
