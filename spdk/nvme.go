package spdk

import (
	"context"
	"time"
)

// NVMeOptions are the initiator's options (bdev_nvme_set_options). The target
// takes them only while it has no controller. timeout_us is left out on
// purpose: with it a hung peer hangs the whole target.
type NVMeOptions struct {
	TransportAckTimeout  uint8  `json:"transport_ack_timeout,omitzero"` // an exponent: 10 notices a silent peer after about 1 s
	BdevRetryCount       *int32 `json:"bdev_retry_count,omitzero"`      // -1: without end
	CtrlrLossTimeoutSec  int32  `json:"ctrlr_loss_timeout_sec,omitzero"`
	ReconnectDelaySec    uint32 `json:"reconnect_delay_sec,omitzero"`
	FastIOFailTimeoutSec uint32 `json:"fast_io_fail_timeout_sec,omitzero"`
	KeepAliveTimeoutMs   uint32 `json:"keep_alive_timeout_ms,omitzero"`
}

func (NVMeOptions) Method() string { return "bdev_nvme_set_options" }
func (NVMeOptions) Object() string { return "" }

// SetNVMeOptions sets the initiator's options (bdev_nvme_set_options).
// NotPermitted once a controller is attached.
func (c *Client) SetNVMeOptions(ctx context.Context, p NVMeOptions) error {
	return c.do(ctx, NewReq(p, nil))
}

// AttachController connects to a subsystem or a local NVMe device
// (bdev_nvme_attach_controller).
type AttachController struct {
	Name                 string `json:"name"`   // the bdevs are called <name>n<nsid>
	TrType               string `json:"trtype"` // "TCP", "RDMA", "PCIe"
	AdrFam               string `json:"adrfam,omitzero"`
	TrAddr               string `json:"traddr"`
	TrSvcID              string `json:"trsvcid,omitzero"`
	SubNQN               string `json:"subnqn,omitzero"`
	HostNQN              string `json:"hostnqn,omitzero"`
	CtrlrLossTimeoutSec  int32  `json:"ctrlr_loss_timeout_sec,omitzero"` // -1: never
	ReconnectDelaySec    uint32 `json:"reconnect_delay_sec,omitzero"`
	FastIOFailTimeoutSec uint32 `json:"fast_io_fail_timeout_sec,omitzero"`
	NumIOQueues          uint32 `json:"num_io_queues,omitzero"`
	// Multipath says what an attachment under a name that is there is: "multipath" for another path
	// to the same, "failover" for an alternate address, at which the controller looks for its
	// peer when it does not reach it where it did.
	Multipath string `json:"multipath,omitzero"`
	MaxBdevs  uint32 `json:"max_bdevs,omitzero"` // namespaces reported by this call; 0: 128
	// Key is what it has to prove that it has, and CtrlKey what the peer has to prove to have, by
	// their names in the keyring; "" for none.
	Key     string `json:"dhchap_key,omitzero"`
	CtrlKey string `json:"dhchap_ctrlr_key,omitzero"`
}

func (AttachController) Method() string   { return "bdev_nvme_attach_controller" }
func (p AttachController) Object() string { return p.Name }

// Timeout allows for a peer that does not answer.
func (AttachController) Timeout() time.Duration { return connectTimeout }

// AttachController connects and returns the names of the bdevs found so far
// (bdev_nvme_attach_controller). Exists when the path is attached already.
func (c *Client) AttachController(ctx context.Context, p AttachController) (bdevs []string, err error) {
	err = c.do(ctx, NewReq(p, &bdevs))
	return bdevs, err
}

// DetachController names the controller to detach (bdev_nvme_detach_controller).
type DetachController struct {
	Name string `json:"name"`
	// The following name one path of several; without them it is all of them.
	TrType  string `json:"trtype,omitzero"`
	AdrFam  string `json:"adrfam,omitzero"`
	TrAddr  string `json:"traddr,omitzero"`
	TrSvcID string `json:"trsvcid,omitzero"`
}

func (DetachController) Method() string   { return "bdev_nvme_detach_controller" }
func (p DetachController) Object() string { return p.Name }

// Timeout allows for a peer that does not answer.
func (DetachController) Timeout() time.Duration { return connectTimeout }

// DetachController removes a controller and its bdevs
// (bdev_nvme_detach_controller). From a peer that hangs it must be disabled first.
func (c *Client) DetachController(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(DetachController{Name: name}, nil))
}

// DetachPath takes one path of a controller away, or one alternate address (bdev_nvme_detach_controller).
// Its bdevs stay as long as another leads to them.
func (c *Client) DetachPath(ctx context.Context, name string, at Address) error {
	return c.do(ctx, NewReq(DetachController{Name: name, TrType: at.TrType, AdrFam: at.AdrFam, TrAddr: at.TrAddr, TrSvcID: at.TrSvcID}, nil))
}

// DisableController names the controller to disable (bdev_nvme_disable_controller).
type DisableController struct {
	Name string `json:"name"`
}

func (DisableController) Method() string   { return "bdev_nvme_disable_controller" }
func (p DisableController) Object() string { return p.Name }

// DisableController fails a controller's outstanding I/O at once, whatever
// state its peer is in (bdev_nvme_disable_controller). Repeating it is harmless.
func (c *Client) DisableController(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(DisableController{name}, nil))
}

// Controller is one entry of bdev_nvme_get_controllers.
type Controller struct {
	Name  string           `json:"name"`
	Paths []ControllerPath `json:"ctrlrs"`
}

// ControllerPath is one connection of a controller.
type ControllerPath struct {
	State  string `json:"state"` // "enabled", "reconnect_is_delayed", "disabled", "deleting", …
	CntlID uint16 `json:"cntlid"`
	Trid   Trid   `json:"trid"`
	// Alternates are where it looks for its peer next, in that order, when it does not reach it at Trid.
	Alternates []Trid `json:"alternate_trids"`
	Host       Host   `json:"host"`
}

// GetControllers reads every controller (bdev_nvme_get_controllers).
func GetControllers(out *[]Controller) *Req {
	return listing(&Req{Method: "bdev_nvme_get_controllers"}, out)
}

// GetControllers reads every controller (bdev_nvme_get_controllers).
func (c *Client) GetControllers(ctx context.Context) ([]Controller, error) {
	var out []Controller
	err := c.do(ctx, GetControllers(&out))
	return out, err
}
