package spdk

import "context"

// The transports of NVMe-oF, as targets call them.
const (
	TCP  = "TCP"
	RDMA = "RDMA"
)

// Address is where a listener listens.
type Address struct {
	TrType  string `json:"trtype"` // TCP or RDMA
	AdrFam  string `json:"adrfam,omitzero"`
	TrAddr  string `json:"traddr"`
	TrSvcID string `json:"trsvcid,omitzero"` // the port
}

// Host is a host by its NQN, and the names of the keys that it and the target have to
// prove to one another; "" for none.
type Host struct {
	NQN     string `json:"nqn"`
	Key     string `json:"dhchap_key,omitzero"`
	CtrlKey string `json:"dhchap_ctrlr_key,omitzero"`
}

// TransportCreate makes an NVMe-oF transport (nvmf_create_transport).
type TransportCreate struct {
	TrType string `json:"trtype"` // TCP or RDMA
}

func (TransportCreate) Method() string   { return "nvmf_create_transport" }
func (p TransportCreate) Object() string { return p.TrType }

// TransportCreate makes a transport; Exists when the target has it (nvmf_create_transport).
func (c *Client) TransportCreate(ctx context.Context, trtype string) error {
	return c.do(ctx, NewReq(TransportCreate{trtype}, nil))
}

// Transport is one entry of nvmf_get_transports.
type Transport struct {
	TrType string `json:"trtype"`
}

// GetTransports reads every transport (nvmf_get_transports).
func GetTransports(out *[]Transport) *Req {
	return listing(&Req{Method: "nvmf_get_transports"}, out)
}

// GetTransports reads every transport (nvmf_get_transports).
func (c *Client) GetTransports(ctx context.Context) ([]Transport, error) {
	var out []Transport
	err := c.do(ctx, GetTransports(&out))
	return out, err
}

// SubsystemCreate makes a subsystem (nvmf_create_subsystem).
type SubsystemCreate struct {
	NQN           string `json:"nqn"`
	SerialNumber  string `json:"serial_number,omitzero"` // at most 20 bytes
	ModelNumber   string `json:"model_number,omitzero"`  // at most 40 bytes
	AllowAnyHost  bool   `json:"allow_any_host"`
	ANAReporting  bool   `json:"ana_reporting,omitzero"`
	MaxNamespaces uint32 `json:"max_namespaces,omitzero"` // 0: 32
	// The numbers that controllers of hosts get; 0: 1 and 65519.
	MinCntlid uint16 `json:"min_cntlid,omitzero"`
	MaxCntlid uint16 `json:"max_cntlid,omitzero"`
}

func (SubsystemCreate) Method() string   { return "nvmf_create_subsystem" }
func (p SubsystemCreate) Object() string { return p.NQN }

// SubsystemCreate makes a subsystem (nvmf_create_subsystem). An NQN that
// exists and one that is malformed are both Other.
func (c *Client) SubsystemCreate(ctx context.Context, p SubsystemCreate) error {
	return c.do(ctx, NewReq(p, nil))
}

// SubsystemDelete names the subsystem to delete (nvmf_delete_subsystem).
type SubsystemDelete struct {
	NQN string `json:"nqn"`
}

func (SubsystemDelete) Method() string   { return "nvmf_delete_subsystem" }
func (p SubsystemDelete) Object() string { return p.NQN }

// SubsystemDelete deletes a subsystem with all it contains (nvmf_delete_subsystem).
func (c *Client) SubsystemDelete(ctx context.Context, nqn string) error {
	return c.do(ctx, NewReq(SubsystemDelete{nqn}, nil))
}

// Subsystem is one entry of nvmf_get_subsystems.
type Subsystem struct {
	NQN             string      `json:"nqn"`
	Subtype         string      `json:"subtype"` // "NVMe", "Discovery"
	ListenAddresses []Address   `json:"listen_addresses"`
	AllowAnyHost    bool        `json:"allow_any_host"`
	Hosts           []Host      `json:"hosts"`
	SerialNumber    string      `json:"serial_number"`
	ModelNumber     string      `json:"model_number"`
	MaxNamespaces   uint32      `json:"max_namespaces"`
	MinCntlid       uint16      `json:"min_cntlid"`
	MaxCntlid       uint16      `json:"max_cntlid"`
	Namespaces      []Namespace `json:"namespaces"`
}

// Namespace is a namespace of a subsystem. BdevName is the bdev's name, an
// lvol's UUID also where it was added by its alias.
type Namespace struct {
	NSID     uint32 `json:"nsid"`
	BdevName string `json:"bdev_name"`
	Name     string `json:"name"`
	NGUID    string `json:"nguid"` // 32 hexadecimal digits
	UUID     string `json:"uuid"`
	ANAGroup uint32 `json:"anagrpid"`
}

// GetSubsystems reads every subsystem (nvmf_get_subsystems).
func GetSubsystems(out *[]Subsystem) *Req {
	return listing(&Req{Method: "nvmf_get_subsystems"}, out)
}

// GetSubsystems reads every subsystem (nvmf_get_subsystems).
func (c *Client) GetSubsystems(ctx context.Context) ([]Subsystem, error) {
	var out []Subsystem
	err := c.do(ctx, GetSubsystems(&out))
	return out, err
}

// SubsystemGet names the one subsystem to read (nvmf_get_subsystems).
type SubsystemGet struct {
	NQN string `json:"nqn"`
}

func (SubsystemGet) Method() string   { return "nvmf_get_subsystems" }
func (p SubsystemGet) Object() string { return p.NQN }

// NamespaceAdd adds a bdev to a subsystem (nvmf_subsystem_add_ns).
type NamespaceAdd struct {
	NQN       string        `json:"nqn"`
	Namespace NamespaceSpec `json:"namespace"`
}

// NamespaceSpec says what a new namespace is. Without UUID and NGUID it takes
// the bdev's.
type NamespaceSpec struct {
	NSID     uint32 `json:"nsid,omitzero"` // 0: the lowest free one
	BdevName string `json:"bdev_name"`
	NGUID    string `json:"nguid,omitzero"` // 32 hexadecimal digits
	UUID     string `json:"uuid,omitzero"`
	ANAGroup uint32 `json:"anagrpid,omitzero"` // 0: NSID
}

func (NamespaceAdd) Method() string   { return "nvmf_subsystem_add_ns" }
func (p NamespaceAdd) Object() string { return p.NQN }

// NamespaceAdd adds a bdev to a subsystem and returns its namespace id
// (nvmf_subsystem_add_ns). An unknown bdev, an unknown subsystem and a
// duplicate are all Invalid.
func (c *Client) NamespaceAdd(ctx context.Context, p NamespaceAdd) (nsid uint32, err error) {
	err = c.do(ctx, NewReq(p, &nsid))
	return nsid, err
}

// NamespaceRemove takes a namespace out of a subsystem (nvmf_subsystem_remove_ns).
type NamespaceRemove struct {
	NQN  string `json:"nqn"`
	NSID uint32 `json:"nsid"`
}

func (NamespaceRemove) Method() string   { return "nvmf_subsystem_remove_ns" }
func (p NamespaceRemove) Object() string { return p.NQN }

// NamespaceRemove takes a namespace away, its I/O drained (nvmf_subsystem_remove_ns).
func (c *Client) NamespaceRemove(ctx context.Context, nqn string, nsid uint32) error {
	return c.do(ctx, NewReq(NamespaceRemove{nqn, nsid}, nil))
}

// SetANAGroup moves a namespace to an ANA group (nvmf_subsystem_set_ns_ana_group).
type SetANAGroup struct {
	NQN      string `json:"nqn"`
	NSID     uint32 `json:"nsid"`
	ANAGroup uint32 `json:"anagrpid"`
}

func (SetANAGroup) Method() string   { return "nvmf_subsystem_set_ns_ana_group" }
func (p SetANAGroup) Object() string { return p.NQN }

// SetANAGroup moves a namespace to an ANA group, possibly its own, and answers
// when its outstanding I/O is done (nvmf_subsystem_set_ns_ana_group).
func (c *Client) SetANAGroup(ctx context.Context, p SetANAGroup) error {
	return c.do(ctx, NewReq(p, nil))
}

// HostAdd admits a host (nvmf_subsystem_add_host).
type HostAdd struct {
	NQN     string `json:"nqn"`
	Host    string `json:"host"`
	Key     string `json:"dhchap_key,omitzero"`       // of the host; "": it need not authenticate
	CtrlKey string `json:"dhchap_ctrlr_key,omitzero"` // of the target, where the host has one
	PSK     string `json:"psk,omitzero"`              // of TLS, which is read now and never again
}

func (HostAdd) Method() string   { return "nvmf_subsystem_add_host" }
func (p HostAdd) Object() string { return p.NQN }

// HostAdd admits a host; a second time is Other, and so is a file in which there is no key of
// TLS (nvmf_subsystem_add_host).
func (c *Client) HostAdd(ctx context.Context, p HostAdd) error {
	return c.do(ctx, NewReq(p, nil))
}

// HostRemove no longer admits a host (nvmf_subsystem_remove_host).
type HostRemove struct {
	NQN  string `json:"nqn"`
	Host string `json:"host"`
	// TimeoutMs is how long the target waits for the host's connections to end; 0 leaves
	// that to it. Older builds have no such parameter.
	TimeoutMs uint64 `json:"timeout_ms,omitzero"`
}

func (HostRemove) Method() string   { return "nvmf_subsystem_remove_host" }
func (p HostRemove) Object() string { return p.NQN }

// HostRemove no longer admits a host (nvmf_subsystem_remove_host).
func (c *Client) HostRemove(ctx context.Context, nqn, host string) error {
	return c.do(ctx, NewReq(HostRemove{NQN: nqn, Host: host}, nil))
}

// HostFence no longer admits a host, and is answered once its connections have ended,
// within milliseconds (nvmf_subsystem_remove_host). One that is not admitted is Other.
func (c *Client) HostFence(ctx context.Context, nqn, host string, timeoutMs int) error {
	return c.do(ctx, NewReq(HostRemove{nqn, host, uint64(timeoutMs)}, nil))
}

// AllowAnyHost admits all hosts or only those listed (nvmf_subsystem_allow_any_host).
type AllowAnyHost struct {
	NQN   string `json:"nqn"`
	Allow bool   `json:"allow_any_host"`
}

func (AllowAnyHost) Method() string   { return "nvmf_subsystem_allow_any_host" }
func (p AllowAnyHost) Object() string { return p.NQN }

// AllowAnyHost admits all hosts or only those listed (nvmf_subsystem_allow_any_host).
func (c *Client) AllowAnyHost(ctx context.Context, nqn string, allow bool) error {
	return c.do(ctx, NewReq(AllowAnyHost{nqn, allow}, nil))
}
