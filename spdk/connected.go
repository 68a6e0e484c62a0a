package spdk

import "context"

// ControllersGet names the subsystem whose hosts are asked for
// (nvmf_subsystem_get_controllers).
type ControllersGet struct {
	NQN string `json:"nqn"`
}

func (ControllersGet) Method() string   { return "nvmf_subsystem_get_controllers" }
func (p ControllersGet) Object() string { return p.NQN }

// Connected is a host that is connected to a subsystem: it has a controller of
// its own there. A target forgets it 0.2 s after the host's connection is gone.
type Connected struct {
	ID      uint16 `json:"cntlid"`
	HostNQN string `json:"hostnqn"`
	HostID  string `json:"hostid"`
}

// GetConnected reads who is connected to a subsystem
// (nvmf_subsystem_get_controllers).
func GetConnected(nqn string, out *[]Connected) *Req {
	return listing(NewReq(ControllersGet{nqn}, nil), out)
}

// GetConnected reads who is connected to a subsystem
// (nvmf_subsystem_get_controllers); Invalid when there is no such subsystem.
func (c *Client) GetConnected(ctx context.Context, nqn string) ([]Connected, error) {
	var out []Connected
	err := c.do(ctx, GetConnected(nqn, &out))
	return out, err
}

// QPairsGet names the subsystem whose connections are asked for
// (nvmf_subsystem_get_qpairs).
type QPairsGet struct {
	NQN string `json:"nqn"`
}

func (QPairsGet) Method() string   { return "nvmf_subsystem_get_qpairs" }
func (p QPairsGet) Object() string { return p.NQN }

// QPair is a connection of a host: one for its admin queue, 0, and one for each
// of its I/O queues.
type QPair struct {
	ID    uint16  `json:"cntlid"` // of the host, as in Connected
	Queue uint16  `json:"qid"`
	State string  `json:"state"`
	Peer  Address `json:"peer_address"`
}

// Authenticates reports whether its host is just proving who it is; it does nothing else before.
func (q *QPair) Authenticates() bool { return q.State == "authenticating" }

// GetQPairs reads the connections of a subsystem's hosts
// (nvmf_subsystem_get_qpairs).
func GetQPairs(nqn string, out *[]QPair) *Req {
	return listing(NewReq(QPairsGet{nqn}, nil), out)
}

// GetQPairs reads the connections of a subsystem's hosts
// (nvmf_subsystem_get_qpairs).
func (c *Client) GetQPairs(ctx context.Context, nqn string) ([]QPair, error) {
	var out []QPair
	err := c.do(ctx, GetQPairs(nqn, &out))
	return out, err
}

func (c *Connected) lacks() string { return lacking(part{"NQN of a host", c.HostNQN != ""}) }

func (q *QPair) lacks() string { return lacking(part{"address", q.Peer.TrType != ""}) }
