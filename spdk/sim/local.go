package sim

import (
	"fmt"
	"math/bits"
)

func init() {
	register(
		writes("bdev_aio_create", (*process).createAIO),
		writes("bdev_aio_delete", deleteOf("AIO disk")),
		writes("bdev_uring_create", (*process).createUring),
		writes("bdev_uring_delete", deleteOf("URING bdev")),
		writes("bdev_malloc_create", (*process).createMalloc),
		writes("bdev_malloc_delete", deleteOf(mallocProduct)),
		writes("bdev_null_create", (*process).createNull),
		writes("bdev_null_delete", deleteOf(nullProduct)),
		writes("bdev_null_resize", (*process).resizeNull),
	)
}

// local is a device on a disk of the node: AIO, uring, malloc, or an NVMe
// controller in the machine.
type local struct {
	disk  *disk
	types ioType
	desc  func(b []byte) []byte
	ctrl  *controller // of an NVMe disk
}

func (d *local) read(_ *op, p []byte, off int64) error  { return d.disk.read(p, off) }
func (d *local) write(_ *op, p []byte, off int64) error { return d.disk.write(p, off) }
func (d *local) discard(_ *op, off, n int64) error      { return d.disk.discard(off, n) }
func (d *local) ioTypes() ioType                        { return d.types }
func (d *local) describe(b []byte) []byte               { return d.desc(b) }

func (d *local) memoryDomains() []string {
	if d.disk.trims && d.ctrl == nil {
		return []string{"DMA", "ACCEL"}
	}
	return nil
}

// numaID is known of memory and of controllers, though only as any.
func (d *local) numaID() (int, bool) { return -1, d.disk.trims }

const nullProduct = "Null disk"

type nullDevice struct{}

func (nullDevice) read(_ *op, p []byte, _ int64) error { clear(p); return nil }
func (nullDevice) write(*op, []byte, int64) error      { return nil }
func (nullDevice) discard(*op, int64, int64) error     { return nil }
func (nullDevice) describe(b []byte) []byte            { return b }
func (nullDevice) ioTypes() ioType {
	return ioRead | ioWrite | ioReset | ioWriteZeroes | ioAbort
}

func (p *process) createAIO(q *struct {
	Name     string `json:"name"`
	Filename string `json:"filename"`
	Block    uint32 `json:"block_size"`
	ReadOnly bool   `json:"readonly"`
	NoWait   bool   `json:"nowait"`
	UUID     string `json:"uuid"`
	Punch    bool   `json:"fallocate"`
}) (any, error) {
	override := q.Block != 0
	desc := func(b []byte) []byte {
		b = append(key(b, "aio"), '{')
		b = text(b, "filename", q.Filename)
		b = boolean(b, "block_size_override", override)
		b = boolean(b, "readonly", q.ReadOnly)
		b = boolean(b, "fallocate", q.Punch)
		if p.build().recent {
			b = boolean(b, "nowait", q.NoWait)
		}
		return append(b, '}')
	}
	types := ioRead | ioWrite | ioFlush | ioReset | ioWriteZeroes
	if q.Punch {
		types |= ioUnmap
	}
	d, err := p.t.disk(q.Filename)
	if err == nil && d != nil && p.bdevs.find(q.Name) == nil {
		d.punches = q.Punch
	}
	return p.createFile(q.Name, q.Filename, "AIO disk", q.UUID, q.Block, types, desc)
}

func (p *process) createUring(q *struct {
	Name     string `json:"name"`
	Filename string `json:"filename"`
	Block    uint32 `json:"block_size"`
	UUID     string `json:"uuid"`
}) (any, error) {
	desc := func(b []byte) []byte {
		b = append(key(b, "uring"), '{')
		return append(text(b, "filename", q.Filename), '}')
	}
	return p.createFile(q.Name, q.Filename, "URING bdev", q.UUID, q.Block, ioRead|ioWrite|ioFlush, desc)
}

func (p *process) createFile(name, path, product, uuid string, block uint32, types ioType, desc func([]byte) []byte) (any, error) {
	d, err := p.t.disk(path)
	if err != nil {
		return nil, errno(eio)
	}
	if d == nil {
		return nil, errno(enoent)
	}
	if block == 0 {
		block = 512
	}
	if block < 512 || bits.OnesCount32(block) != 1 || d.size%int64(block) != 0 {
		return nil, errno(einval)
	}
	if uuid == nilUUID {
		uuid = ""
	}
	b := &bdev{name: name, uuid: uuid, product: product, blockSize: block,
		numBlocks: uint64(d.size / int64(block)), dev: &local{disk: d, types: types, desc: desc}}
	if p.register(b) != nil {
		return nil, errno(eexist)
	}
	return name, nil
}

const mallocProduct = "Malloc disk"

func (p *process) createMalloc(q *struct {
	Name   string `json:"name"`
	UUID   string `json:"uuid"`
	Blocks uint64 `json:"num_blocks"`
	Block  uint32 `json:"block_size"`
}) (any, error) {
	if q.Blocks == 0 || q.Block < 512 || q.Block%512 != 0 {
		return nil, errno(einval)
	}
	if q.Name == "" {
		q.Name = p.freeName("Malloc")
	}
	d := &disk{size: int64(q.Blocks) * int64(q.Block), data: newSparse(), trims: true}
	types := ioRead | ioWrite | ioUnmap | ioFlush | ioReset | ioWriteZeroes | ioZcopy | ioCompare | ioAbort | ioCopy
	b := &bdev{name: q.Name, uuid: q.UUID, product: mallocProduct, blockSize: q.Block, numBlocks: q.Blocks,
		dev: &local{disk: d, types: types, desc: func(b []byte) []byte { return b }}}
	if p.register(b) != nil {
		return nil, errno(eexist)
	}
	return q.Name, nil
}

func (p *process) createNull(q *struct {
	Name   string `json:"name"`
	UUID   string `json:"uuid"`
	Blocks uint64 `json:"num_blocks"`
	Block  uint32 `json:"block_size"`
}) (any, error) {
	if q.Blocks == 0 || q.Block == 0 || q.Block%512 != 0 {
		return nil, errno(einval)
	}
	b := &bdev{name: q.Name, uuid: q.UUID, product: nullProduct, blockSize: q.Block, numBlocks: q.Blocks, dev: nullDevice{}}
	if p.register(b) != nil {
		return nil, errno(eexist)
	}
	return q.Name, nil
}

// resizeNull never shrinks, and compares whole MiB.
func (p *process) resizeNull(q *struct {
	Name string `json:"name"`
	MiB  uint64 `json:"new_size"`
}) (any, error) {
	b := p.bdevs.find(q.Name)
	if b == nil {
		return nil, errno(enodev)
	}
	if b.product != nullProduct || q.MiB < uint64(b.bytes())>>20 {
		return nil, errno(einval)
	}
	b.resize(q.MiB << 20 / uint64(b.blockSize))
	return true, nil
}

func (p *process) freeName(prefix string) string {
	for i := 0; ; i++ {
		if n := fmt.Sprintf("%s%d", prefix, i); p.bdevs.byName[n] == nil {
			return n
		}
	}
}

// deleteOf makes the delete method of one kind of bdev, which takes an alias or
// UUID for its name.
func deleteOf(product string) func(*process, *named) (any, error) {
	return func(p *process, q *named) (any, error) {
		b := p.bdevs.find(q.Name)
		if b == nil || b.product != product {
			return nil, errno(enodev)
		}
		return p.removal(b)
	}
}

// removal unregisters b and answers true once it is gone.
func (p *process) removal(b *bdev) (any, error) {
	gone := false
	p.unregister(b, func() { gone = true })
	if gone {
		return true, nil
	}
	return nil, &later{ready: func() bool { return gone }, done: func(bool) (any, error) { return true, nil }}
}
