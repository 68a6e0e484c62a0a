package spdk

import (
	"context"
	"time"
)

// LvolCreate makes an lvol (bdev_lvol_create). The target rounds its size up
// to the cluster size.
type LvolCreate struct {
	LvolName      string `json:"lvol_name"` // at most 63 bytes
	LvsName       string `json:"lvs_name,omitzero"`
	LvsUUID       string `json:"uuid,omitzero"` // instead of LvsName
	SizeMiB       uint64 `json:"size_in_mib"`
	ThinProvision bool   `json:"thin_provision"`
	ClearMethod   string `json:"clear_method,omitzero"` // "none", "unmap", "write_zeroes"; "": unmap
}

func (LvolCreate) Method() string   { return "bdev_lvol_create" }
func (p LvolCreate) Object() string { return alias(p.LvsName, p.LvolName) }

// LvolCreate makes an lvol and returns its UUID (bdev_lvol_create).
func (c *Client) LvolCreate(ctx context.Context, p LvolCreate) (uuid string, err error) {
	err = c.do(ctx, NewReq(p, &uuid))
	return uuid, err
}

// LvolDelete names the lvol to delete, by alias or UUID (bdev_lvol_delete).
type LvolDelete struct {
	Name string `json:"name"`
}

func (LvolDelete) Method() string   { return "bdev_lvol_delete" }
func (p LvolDelete) Object() string { return p.Name }

// LvolDelete deletes an lvol, exported or not; a snapshot's clusters go to its
// one child (bdev_lvol_delete). NotPermitted when it has more children. Busy
// when a copy reads it, and then it is missing from every listing until the
// target restarts: never delete what may be copied from.
func (c *Client) LvolDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(LvolDelete{name}, nil))
}

// LvolRename renames an lvol, in use or not (bdev_lvol_rename).
type LvolRename struct {
	OldName string `json:"old_name"` // alias or UUID
	NewName string `json:"new_name"` // without the lvstore
}

func (LvolRename) Method() string   { return "bdev_lvol_rename" }
func (p LvolRename) Object() string { return p.OldName }

// LvolRename renames the lvol with the given alias or UUID (bdev_lvol_rename).
func (c *Client) LvolRename(ctx context.Context, oldName, newName string) error {
	return c.do(ctx, NewReq(LvolRename{oldName, newName}, nil))
}

// LvolResize sets an lvol's size (bdev_lvol_resize).
type LvolResize struct {
	Name    string `json:"name"` // alias or UUID
	SizeMiB uint64 `json:"size_in_mib"`
}

func (LvolResize) Method() string   { return "bdev_lvol_resize" }
func (p LvolResize) Object() string { return p.Name }

// LvolResize sets an lvol's size in MiB; it shrinks without a word (bdev_lvol_resize).
func (c *Client) LvolResize(ctx context.Context, name string, mib uint64) error {
	return c.do(ctx, NewReq(LvolResize{name, mib}, nil))
}

// LvolSnapshot takes a snapshot, which becomes the lvol's parent (bdev_lvol_snapshot).
type LvolSnapshot struct {
	LvolName     string `json:"lvol_name"`     // alias or UUID
	SnapshotName string `json:"snapshot_name"` // without the lvstore
}

func (LvolSnapshot) Method() string   { return "bdev_lvol_snapshot" }
func (p LvolSnapshot) Object() string { return p.LvolName }

// LvolSnapshot takes a snapshot and returns its UUID; the lvol keeps its own
// (bdev_lvol_snapshot).
func (c *Client) LvolSnapshot(ctx context.Context, lvol, snapshot string) (uuid string, err error) {
	err = c.do(ctx, NewReq(LvolSnapshot{lvol, snapshot}, &uuid))
	return uuid, err
}

// LvolClone makes a writable child of a snapshot (bdev_lvol_clone).
type LvolClone struct {
	SnapshotName string `json:"snapshot_name"` // alias or UUID
	CloneName    string `json:"clone_name"`    // without the lvstore
}

func (LvolClone) Method() string   { return "bdev_lvol_clone" }
func (p LvolClone) Object() string { return p.SnapshotName }

// LvolClone makes a writable child of a snapshot and returns its UUID (bdev_lvol_clone).
func (c *Client) LvolClone(ctx context.Context, snapshot, clone string) (uuid string, err error) {
	err = c.do(ctx, NewReq(LvolClone{snapshot, clone}, &uuid))
	return uuid, err
}

// LvolCloneBdev makes a writable child of any bdev: an external-snapshot clone
// (bdev_lvol_clone_bdev).
type LvolCloneBdev struct {
	Bdev      string `json:"bdev"` // name or UUID; the clone records the UUID
	LvsName   string `json:"lvs_name"`
	CloneName string `json:"clone_name"` // without the lvstore
}

func (LvolCloneBdev) Method() string   { return "bdev_lvol_clone_bdev" }
func (p LvolCloneBdev) Object() string { return alias(p.LvsName, p.CloneName) }

// LvolCloneBdev makes an external-snapshot clone and returns its UUID (bdev_lvol_clone_bdev).
func (c *Client) LvolCloneBdev(ctx context.Context, p LvolCloneBdev) (uuid string, err error) {
	err = c.do(ctx, NewReq(p, &uuid))
	return uuid, err
}

// LvolSetParent re-parents an lvol onto a snapshot of equal size (bdev_lvol_set_parent).
type LvolSetParent struct {
	LvolName   string `json:"lvol_name"`   // alias or UUID
	ParentName string `json:"parent_name"` // alias or UUID of a snapshot
}

func (LvolSetParent) Method() string   { return "bdev_lvol_set_parent" }
func (p LvolSetParent) Object() string { return p.LvolName }

// LvolSetParent re-parents an lvol onto a snapshot of equal size; Exists when
// that is its parent already (bdev_lvol_set_parent).
func (c *Client) LvolSetParent(ctx context.Context, lvol, parent string) error {
	return c.do(ctx, NewReq(LvolSetParent{lvol, parent}, nil))
}

// LvolDecoupleParent names the lvol to decouple, by alias or UUID (bdev_lvol_decouple_parent).
type LvolDecoupleParent struct {
	Name string `json:"name"`
}

func (LvolDecoupleParent) Method() string   { return "bdev_lvol_decouple_parent" }
func (p LvolDecoupleParent) Object() string { return p.Name }

// Timeout allows for the copy.
func (LvolDecoupleParent) Timeout() time.Duration { return copyTimeout }

// LvolDecoupleParent copies the parent's clusters into the lvol and makes it
// the grandparent's child (bdev_lvol_decouple_parent). It answers when the
// copy is done.
func (c *Client) LvolDecoupleParent(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(LvolDecoupleParent{name}, nil))
}

// LvolInflate names the lvol to inflate, by alias or UUID (bdev_lvol_inflate).
type LvolInflate struct {
	Name string `json:"name"`
}

func (LvolInflate) Method() string   { return "bdev_lvol_inflate" }
func (p LvolInflate) Object() string { return p.Name }

// Timeout allows for the copy.
func (LvolInflate) Timeout() time.Duration { return copyTimeout }

// LvolInflate allocates every cluster of the lvol and drops its parent
// (bdev_lvol_inflate). It answers when the copy is done.
func (c *Client) LvolInflate(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(LvolInflate{name}, nil))
}

// Lvol is one entry of bdev_lvol_get_lvols. It lists also lvols without a
// bdev, whose external snapshot is missing.
type Lvol struct {
	Alias                string  `json:"alias"` // "lab.fast/db.k3f7#1"
	UUID                 string  `json:"uuid"`
	Name                 string  `json:"name"`
	Thin                 bool    `json:"is_thin_provisioned"`
	Snapshot             bool    `json:"is_snapshot"`
	Clone                bool    `json:"is_clone"`
	EsnapClone           bool    `json:"is_esnap_clone"`
	Degraded             bool    `json:"is_degraded"`            // its external snapshot is missing
	NumAllocatedClusters *uint64 `json:"num_allocated_clusters"` // nil: the build does not say
	Lvs                  LvsRef  `json:"lvs"`
}

// LvsRef names an lvstore.
type LvsRef struct {
	Name string `json:"name"`
	UUID string `json:"uuid"`
}

// GetLvols reads every lvol (bdev_lvol_get_lvols).
func GetLvols(out *[]Lvol) *Req { return listing(&Req{Method: "bdev_lvol_get_lvols"}, out) }

// GetLvols reads every lvol (bdev_lvol_get_lvols).
func (c *Client) GetLvols(ctx context.Context) ([]Lvol, error) {
	var out []Lvol
	err := c.do(ctx, GetLvols(&out))
	return out, err
}

// alias is an lvol's name as bdev_get_bdevs has it.
func alias(lvs, lvol string) string {
	if lvs == "" {
		return lvol
	}
	return lvs + "/" + lvol
}
