package spdk

import "context"

// AIOCreate makes a bdev of a file or block device (bdev_aio_create).
type AIOCreate struct {
	Name      string `json:"name"`
	Filename  string `json:"filename"`
	BlockSize uint32 `json:"block_size,omitzero"` // bytes; 0: the device's own
	Fallocate bool   `json:"fallocate,omitzero"`  // unmap makes holes, by fallocate(2); false: there is no unmap
}

func (AIOCreate) Method() string   { return "bdev_aio_create" }
func (p AIOCreate) Object() string { return p.Name }

// AIOCreate makes a bdev of a file or block device and returns its name (bdev_aio_create).
func (c *Client) AIOCreate(ctx context.Context, p AIOCreate) (name string, err error) {
	err = c.do(ctx, NewReq(p, &name))
	return name, err
}

// AIODelete names the bdev to delete (bdev_aio_delete).
type AIODelete struct {
	Name string `json:"name"`
}

func (AIODelete) Method() string   { return "bdev_aio_delete" }
func (p AIODelete) Object() string { return p.Name }

// AIODelete deletes a bdev; the file keeps its data (bdev_aio_delete).
func (c *Client) AIODelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(AIODelete{name}, nil))
}

// UringCreate makes a bdev of a file or block device (bdev_uring_create).
type UringCreate struct {
	Name      string `json:"name"`
	Filename  string `json:"filename"`
	BlockSize uint32 `json:"block_size,omitzero"` // bytes; 0: the device's own
}

func (UringCreate) Method() string   { return "bdev_uring_create" }
func (p UringCreate) Object() string { return p.Name }

// UringCreate makes a bdev of a file or block device and returns its name (bdev_uring_create).
func (c *Client) UringCreate(ctx context.Context, p UringCreate) (name string, err error) {
	err = c.do(ctx, NewReq(p, &name))
	return name, err
}

// UringDelete names the bdev to delete (bdev_uring_delete).
type UringDelete struct {
	Name string `json:"name"`
}

func (UringDelete) Method() string   { return "bdev_uring_delete" }
func (p UringDelete) Object() string { return p.Name }

// UringDelete deletes a bdev; the file keeps its data (bdev_uring_delete).
func (c *Client) UringDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(UringDelete{name}, nil))
}

// MallocCreate makes a bdev in the target's memory (bdev_malloc_create).
type MallocCreate struct {
	Name      string `json:"name"`
	NumBlocks uint64 `json:"num_blocks"`
	BlockSize uint32 `json:"block_size"` // bytes, a multiple of 512
	UUID      string `json:"uuid,omitzero"`
}

func (MallocCreate) Method() string   { return "bdev_malloc_create" }
func (p MallocCreate) Object() string { return p.Name }

// MallocCreate makes a bdev in the target's memory and returns its name (bdev_malloc_create).
func (c *Client) MallocCreate(ctx context.Context, p MallocCreate) (name string, err error) {
	err = c.do(ctx, NewReq(p, &name))
	return name, err
}

// MallocDelete names the bdev to delete (bdev_malloc_delete).
type MallocDelete struct {
	Name string `json:"name"`
}

func (MallocDelete) Method() string   { return "bdev_malloc_delete" }
func (p MallocDelete) Object() string { return p.Name }

// MallocDelete deletes a bdev and its data (bdev_malloc_delete).
func (c *Client) MallocDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(MallocDelete{name}, nil))
}

// NullCreate makes a bdev without storage (bdev_null_create). A second one of
// the same name is refused with Exists, which makes it a lock; UUID tells whose.
type NullCreate struct {
	Name      string `json:"name"`
	NumBlocks uint64 `json:"num_blocks"`
	BlockSize uint32 `json:"block_size"` // bytes, a multiple of 512
	UUID      string `json:"uuid,omitzero"`
}

func (NullCreate) Method() string   { return "bdev_null_create" }
func (p NullCreate) Object() string { return p.Name }

// NullCreate makes a bdev without storage and returns its name (bdev_null_create).
func (c *Client) NullCreate(ctx context.Context, p NullCreate) (name string, err error) {
	err = c.do(ctx, NewReq(p, &name))
	return name, err
}

// NullDelete names the bdev to delete (bdev_null_delete).
type NullDelete struct {
	Name string `json:"name"`
}

func (NullDelete) Method() string   { return "bdev_null_delete" }
func (p NullDelete) Object() string { return p.Name }

// NullDelete deletes a bdev without storage (bdev_null_delete).
func (c *Client) NullDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(NullDelete{name}, nil))
}

// NullResize grows a bdev without storage (bdev_null_resize).
type NullResize struct {
	Name string `json:"name"`     // or its UUID
	MiB  uint64 `json:"new_size"` // in whole MiB, whatever it was created with
}

func (NullResize) Method() string   { return "bdev_null_resize" }
func (p NullResize) Object() string { return p.Name }

// NullResize grows a bdev without storage to a size in MiB (bdev_null_resize). A
// smaller one than the present is refused as Invalid.
func (c *Client) NullResize(ctx context.Context, name string, mib uint64) error {
	return c.do(ctx, NewReq(NullResize{name, mib}, nil))
}
