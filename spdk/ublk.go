package spdk

import "context"

// UblkCreateTarget starts the target's ublk service (ublk_create_target);
// it answers an error when that runs already.
func (c *Client) UblkCreateTarget(ctx context.Context) error {
	return c.do(ctx, &Req{Method: "ublk_create_target"})
}

// UblkStart offers a bdev as /dev/ublkb<ID> (ublk_start_disk).
type UblkStart struct {
	BdevName   string `json:"bdev_name"`
	ID         uint32 `json:"ublk_id"`
	QueueDepth uint32 `json:"queue_depth,omitzero"` // 0: 128
	NumQueues  uint32 `json:"num_queues,omitzero"`  // 0: 1
}

func (UblkStart) Method() string   { return "ublk_start_disk" }
func (p UblkStart) Object() string { return p.BdevName }

// UblkStart offers a bdev as /dev/ublkb<ID> (ublk_start_disk).
func (c *Client) UblkStart(ctx context.Context, p UblkStart) error {
	return c.do(ctx, NewReq(p, nil))
}

// UblkStop names the ublk disk to stop (ublk_stop_disk).
type UblkStop struct {
	ID uint32 `json:"ublk_id"`
}

func (UblkStop) Method() string { return "ublk_stop_disk" }
func (UblkStop) Object() string { return "" }

// UblkStop takes a ublk disk away (ublk_stop_disk).
func (c *Client) UblkStop(ctx context.Context, id uint32) error {
	return c.do(ctx, NewReq(UblkStop{id}, nil))
}

// UblkDisk is one entry of ublk_get_disks.
type UblkDisk struct {
	ID       uint32 `json:"id"`
	Device   string `json:"ublk_device"` // "/dev/ublkb1"
	BdevName string `json:"bdev_name"`
}

// GetUblkDisks reads every ublk disk (ublk_get_disks).
func GetUblkDisks(out *[]UblkDisk) *Req { return listing(&Req{Method: "ublk_get_disks"}, out) }

// GetUblkDisks reads every ublk disk (ublk_get_disks).
func (c *Client) GetUblkDisks(ctx context.Context) ([]UblkDisk, error) {
	var out []UblkDisk
	err := c.do(ctx, GetUblkDisks(&out))
	return out, err
}
