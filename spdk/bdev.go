package spdk

import "context"

// Bdev is one entry of bdev_get_bdevs.
type Bdev struct {
	Name        string   `json:"name"`
	Aliases     []string `json:"aliases"`
	ProductName string   `json:"product_name"` // "Logical Volume", "AIO disk", "NVMe disk", "Raid Volume"
	BlockSize   uint32   `json:"block_size"`   // bytes
	NumBlocks   uint64   `json:"num_blocks"`
	UUID        string   `json:"uuid"`
	Claimed     bool     `json:"claimed"`
	ClaimType   string   `json:"claim_type"` // "" unless claimed
	Limits      Limits   `json:"assigned_rate_limits"`
	IO          IOTypes  `json:"supported_io_types"`
	Driver      Driver   `json:"driver_specific"`
}

// Limits are what a bdev's users have at most, 0 for no limit.
type Limits struct {
	IOPS  uint64 `json:"rw_ios_per_sec"`    // a multiple of 1,000
	MBps  uint64 `json:"rw_mbytes_per_sec"` // MiB a second
	RMBps uint64 `json:"r_mbytes_per_sec"`
	WMBps uint64 `json:"w_mbytes_per_sec"`
}

// IOTypes are what a bdev can do, as far as it matters.
type IOTypes struct {
	Unmap bool `json:"unmap"` // what is read where it was done the target does not say
}

// Size is the bdev's size in bytes.
func (b *Bdev) Size() uint64 { return b.NumBlocks * uint64(b.BlockSize) }

// Driver is what a bdev's own driver says of it: the one field of its kind is set.
type Driver struct {
	Lvol   *LvolInfo   `json:"lvol"`
	AIO    *FileInfo   `json:"aio"`
	Uring  *FileInfo   `json:"uring"`
	NVMe   []NVMeInfo  `json:"nvme"` // one for each path
	Raid   *Raid       `json:"raid"` // without Name
	Crypto *CryptoInfo `json:"crypto"`
}

// LvolInfo describes a bdev that is an lvol. Snapshots and clones are named
// without their lvstore.
type LvolInfo struct {
	LvstoreUUID          string   `json:"lvol_store_uuid"`
	BaseBdev             string   `json:"base_bdev"`
	ThinProvision        bool     `json:"thin_provision"`
	NumAllocatedClusters uint64   `json:"num_allocated_clusters"` // of this layer alone
	Snapshot             bool     `json:"snapshot"`
	Clone                bool     `json:"clone"`
	BaseSnapshot         string   `json:"base_snapshot"` // "" unless Clone
	Clones               []string `json:"clones"`
	EsnapClone           bool     `json:"esnap_clone"`
	ExternalSnapshotName string   `json:"external_snapshot_name"` // UUID of the source bdev
}

// FileInfo describes a bdev on a file or block device of the node.
type FileInfo struct {
	Filename  string `json:"filename"`
	Fallocate bool   `json:"fallocate"` // AIO: unmap makes holes
}

// NVMeInfo describes one path of an NVMe bdev.
type NVMeInfo struct {
	PCIAddress string `json:"pci_address"` // "" over fabrics
	Trid       Trid   `json:"trid"`
	NS         struct {
		ID uint32 `json:"id"`
	} `json:"ns_data"`
}

// Trid is an NVMe transport id.
type Trid struct {
	TrType  string `json:"trtype"`
	AdrFam  string `json:"adrfam"`
	TrAddr  string `json:"traddr"`
	TrSvcID string `json:"trsvcid"`
	SubNQN  string `json:"subnqn"`
}

// GetBdevs reads every bdev (bdev_get_bdevs).
func GetBdevs(out *[]Bdev) *Req { return listing(&Req{Method: "bdev_get_bdevs"}, out) }

// GetBdevs reads every bdev (bdev_get_bdevs).
func (c *Client) GetBdevs(ctx context.Context) ([]Bdev, error) {
	var out []Bdev
	err := c.do(ctx, GetBdevs(&out))
	return out, err
}

// BdevGet names the bdev that bdev_get_bdevs shall return, by name, alias or UUID.
type BdevGet struct {
	Name    string `json:"name"`
	Timeout uint64 `json:"timeout,omitzero"` // ms to wait for the bdev to appear
}

func (BdevGet) Method() string   { return "bdev_get_bdevs" }
func (p BdevGet) Object() string { return p.Name }

// GetBdev reads the bdev with the given name, alias or UUID (bdev_get_bdevs);
// NotFound when there is none.
func (c *Client) GetBdev(ctx context.Context, name string) (Bdev, error) {
	var out []Bdev
	r := NewReq(BdevGet{Name: name}, &out)
	switch err := c.do(ctx, r); {
	case err != nil:
		return Bdev{}, err
	case len(out) == 0:
		return Bdev{}, r.refused(enodev, "No such device")
	}
	return out[0], nil
}

// WaitForExamine returns when every bdev has been looked into, so that the
// lvstores on new disks are known (bdev_wait_for_examine).
func (c *Client) WaitForExamine(ctx context.Context) error {
	return c.do(ctx, &Req{Method: "bdev_wait_for_examine"})
}

// Iostat is what bdev_get_iostat answers.
type Iostat struct {
	TickRate uint64     `json:"tick_rate"` // ticks a second
	Ticks    uint64     `json:"ticks"`
	Bdevs    []BdevStat `json:"bdevs"`
}

// BdevStat counts a bdev's I/O since it was made.
type BdevStat struct {
	Name         string `json:"name"`
	BytesRead    uint64 `json:"bytes_read"`
	ReadOps      uint64 `json:"num_read_ops"`
	BytesWritten uint64 `json:"bytes_written"`
	WriteOps     uint64 `json:"num_write_ops"`
	ReadTicks    uint64 `json:"read_latency_ticks"`
	WriteTicks   uint64 `json:"write_latency_ticks"`
	// QueueDepth is the I/O outstanding at the last look, if SetQDSampling
	// made the target look.
	QueueDepth uint64 `json:"queue_depth"`
	// Errors counts what failed, by kind; nil where the target does not count it.
	Errors map[string]uint64 `json:"io_error"`
}

// IostatGet narrows bdev_get_iostat down: v26.05 takes Names, older builds Name.
type IostatGet struct {
	Names []string `json:"names,omitzero"`
	Name  string   `json:"name,omitzero"`
}

func (IostatGet) Method() string { return "bdev_get_iostat" }
func (p IostatGet) Object() string {
	if len(p.Names) == 1 {
		return p.Names[0]
	}
	return p.Name
}

// GetIostat reads every bdev's I/O counters (bdev_get_iostat).
func (c *Client) GetIostat(ctx context.Context) (Iostat, error) {
	var out Iostat
	err := c.do(ctx, &Req{Method: "bdev_get_iostat", Result: &out})
	return out, err
}

// QDSampling makes the target look at a bdev's queue (bdev_set_qd_sampling_period).
type QDSampling struct {
	Name   string `json:"name"`
	Period uint64 `json:"period"` // microseconds; 0: never
}

func (QDSampling) Method() string   { return "bdev_set_qd_sampling_period" }
func (p QDSampling) Object() string { return p.Name }

// SetQDSampling makes the target look at a bdev's queue every so many
// microseconds; bdev_get_iostat then has its depth (bdev_set_qd_sampling_period).
func (c *Client) SetQDSampling(ctx context.Context, p QDSampling) error {
	return c.do(ctx, NewReq(p, nil))
}

// QoSLimit sets a bdev's limits, 0 for none (bdev_set_qos_limit). They are
// gone when the target restarts.
type QoSLimit struct {
	Name string `json:"name"`
	Limits
}

func (QoSLimit) Method() string   { return "bdev_set_qos_limit" }
func (p QoSLimit) Object() string { return p.Name }

// SetQoSLimit sets a bdev's limits (bdev_set_qos_limit).
func (c *Client) SetQoSLimit(ctx context.Context, p QoSLimit) error {
	return c.do(ctx, NewReq(p, nil))
}
