package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func init() {
	register(
		writes("ublk_create_target", (*process).createUblk).refusing(coded(codeInternal, einval)),
		writes("ublk_destroy_target", (*process).destroyUblk),
		writes("ublk_start_disk", (*process).startUblk),
		writes("ublk_stop_disk", (*process).stopUblk),
		reads("ublk_get_disks", (*process).getUblk),
		writes("nbd_start_disk", (*process).startNBD),
		writes("nbd_stop_disk", (*process).stopNBD),
		reads("nbd_get_disks", (*process).getNBD),
	)
}

// ublkDisk is a bdev given to the node's own kernel.
type ublkDisk struct {
	p      *process
	id     uint32
	bdev   *bdev
	depth  uint32
	queues uint32
}

func (u *ublkDisk) gone(*bdev) bool { delete(u.p.ublk, u.id); return true }
func (u *ublkDisk) resized(*bdev)   {}

func (p *process) createUblk(*struct{}) (any, error) {
	if p.ublkOn {
		return nil, coded(codeInternal, ebusy)
	}
	p.ublkOn = true
	return true, nil
}

func (p *process) destroyUblk(*struct{}) (any, error) {
	if !p.ublkOn {
		return nil, coded(codeInternal, enoent)
	}
	for _, id := range slices.Sorted(maps.Keys(p.ublk)) {
		u := p.ublk[id]
		delete(p.ublk, id)
		u.bdev.close(u)
	}
	p.ublkOn = false
	return true, nil
}

func (p *process) startUblk(q *struct {
	Bdev   string `json:"bdev_name"`
	ID     uint32 `json:"ublk_id"`
	Depth  uint32 `json:"queue_depth"`
	Queues uint32 `json:"num_queues"`
}) (any, error) {
	if !p.ublkOn {
		return nil, errno(enodev)
	}
	if p.ublk[q.ID] != nil {
		return nil, errno(ebusy)
	}
	b := p.bdevs.find(q.Bdev)
	if b == nil {
		return nil, errno(enodev)
	}
	if q.Depth == 0 {
		q.Depth = 128
	}
	if q.Queues == 0 {
		q.Queues = 1
	}
	u := &ublkDisk{p: p, id: q.ID, bdev: b, depth: q.Depth, queues: q.Queues}
	if err := b.open(u, true, claimNone); err != nil {
		return nil, asErrno(err)
	}
	p.ublk[q.ID] = u
	return q.ID, nil
}

func (p *process) stopUblk(q *struct {
	ID uint32 `json:"ublk_id"`
}) (any, error) {
	u := p.ublk[q.ID]
	if u == nil {
		return nil, errno(enodev)
	}
	delete(p.ublk, q.ID)
	u.bdev.close(u)
	return true, nil
}

func (p *process) getUblk(q *struct {
	ID uint32 `json:"ublk_id"` // 0 asks for all, as in SPDK
}) (any, error) {
	type disk struct {
		Device string `json:"ublk_device"`
		ID     uint32 `json:"id"`
		Depth  uint32 `json:"queue_depth"`
		Queues uint32 `json:"num_queues"`
		Bdev   string `json:"bdev_name"`
	}
	if q.ID != 0 && p.ublk[q.ID] == nil {
		return nil, errno(enodev)
	}
	all := []disk{}
	for _, id := range slices.Sorted(maps.Keys(p.ublk)) {
		if u := p.ublk[id]; q.ID == 0 || q.ID == id {
			all = append(all, disk{fmt.Sprintf("/dev/ublkb%d", id), id, u.depth, u.queues, u.bdev.name})
		}
	}
	return all, nil
}

// nbdDisk is a bdev given to the kernel as a network block device.
type nbdDisk struct {
	p    *process
	path string
	bdev *bdev
}

func (n *nbdDisk) gone(*bdev) bool {
	n.p.nbd = slices.DeleteFunc(n.p.nbd, func(x *nbdDisk) bool { return x == n })
	return true
}
func (n *nbdDisk) resized(*bdev) {}

func (p *process) nbdAt(path string) *nbdDisk {
	for _, n := range p.nbd {
		if n.path == path {
			return n
		}
	}
	return nil
}

func (p *process) startNBD(q *struct {
	Bdev   string `json:"bdev_name"`
	Device string `json:"nbd_device"`
}) (any, error) {
	if q.Device == "" {
		for i := 0; q.Device == "" || p.nbdAt(q.Device) != nil; i++ {
			q.Device = fmt.Sprintf("/dev/nbd%d", i)
		}
	}
	if !strings.HasPrefix(q.Device, "/dev/nbd") {
		return nil, &Error{-int(enodev), "illegal nbd device " + q.Device}
	}
	if p.nbdAt(q.Device) != nil {
		return nil, errno(ebusy)
	}
	b := p.bdevs.find(q.Bdev)
	if b == nil {
		return nil, errno(enodev)
	}
	n := &nbdDisk{p, q.Device, b}
	if err := b.open(n, true, claimNone); err != nil {
		return nil, asErrno(err)
	}
	p.nbd = append(p.nbd, n)
	return q.Device, nil
}

type nbdQuery struct {
	Device *string `json:"nbd_device"`
}

func (p *process) stopNBD(q *nbdQuery) (any, error) {
	n := p.nbdAt(*q.Device)
	if n == nil {
		return nil, errno(enodev)
	}
	n.gone(n.bdev)
	n.bdev.close(n)
	return true, nil
}

func (p *process) getNBD(q *nbdQuery) (any, error) {
	type disk struct {
		Device string `json:"nbd_device"`
		Bdev   string `json:"bdev_name"`
	}
	if q.Device != nil && p.nbdAt(*q.Device) == nil {
		return nil, errno(enodev)
	}
	all := []disk{}
	for _, n := range p.nbd {
		if q.Device == nil || n.path == *q.Device {
			all = append(all, disk{n.path, n.bdev.name})
		}
	}
	return all, nil
}
