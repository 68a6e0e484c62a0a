package spdk

import "context"

// NbdStart offers a bdev as a network block device of the node (nbd_start_disk).
type NbdStart struct {
	BdevName string `json:"bdev_name"`
	Device   string `json:"nbd_device,omitzero"` // "/dev/nbd0"; "": the first free one
}

func (NbdStart) Method() string   { return "nbd_start_disk" }
func (p NbdStart) Object() string { return p.BdevName }

// NbdStart offers a bdev and returns the device it is offered on (nbd_start_disk).
func (c *Client) NbdStart(ctx context.Context, p NbdStart) (device string, err error) {
	err = c.do(ctx, NewReq(p, &device))
	return device, err
}

// NbdStop names the device to release (nbd_stop_disk).
type NbdStop struct {
	Device string `json:"nbd_device"`
}

func (NbdStop) Method() string   { return "nbd_stop_disk" }
func (p NbdStop) Object() string { return p.Device }

// NbdStop releases a device (nbd_stop_disk).
func (c *Client) NbdStop(ctx context.Context, device string) error {
	return c.do(ctx, NewReq(NbdStop{device}, nil))
}

// NbdDisk is one entry of nbd_get_disks.
type NbdDisk struct {
	Device   string `json:"nbd_device"`
	BdevName string `json:"bdev_name"`
}

// GetNbdDisks reads every nbd device (nbd_get_disks).
func GetNbdDisks(out *[]NbdDisk) *Req { return listing(&Req{Method: "nbd_get_disks"}, out) }

// GetNbdDisks reads every nbd device (nbd_get_disks).
func (c *Client) GetNbdDisks(ctx context.Context) ([]NbdDisk, error) {
	var out []NbdDisk
	err := c.do(ctx, GetNbdDisks(&out))
	return out, err
}
