package spdk

import "context"

// LvstoreCreate writes a new lvstore onto a bdev (bdev_lvol_create_lvstore).
type LvstoreCreate struct {
	BdevName    string `json:"bdev_name"`
	LvsName     string `json:"lvs_name"`
	ClusterSize uint32 `json:"cluster_sz,omitzero"`   // bytes; 0: 4 MiB
	ClearMethod string `json:"clear_method,omitzero"` // "none", "unmap", "write_zeroes"; "": unmap
}

func (LvstoreCreate) Method() string   { return "bdev_lvol_create_lvstore" }
func (p LvstoreCreate) Object() string { return p.LvsName }

// LvstoreCreate writes a new lvstore and returns its UUID (bdev_lvol_create_lvstore).
// NotPermitted when the bdev is claimed, such as by the lvstore it has.
func (c *Client) LvstoreCreate(ctx context.Context, p LvstoreCreate) (uuid string, err error) {
	err = c.do(ctx, NewReq(p, &uuid))
	return uuid, err
}

// LvstoreRename gives an lvstore another name, with what is on it in use or not
// (bdev_lvol_rename_lvstore).
type LvstoreRename struct {
	OldName string `json:"old_name"`
	NewName string `json:"new_name"` // at most 63 bytes; the target cuts a longer one off
}

func (LvstoreRename) Method() string   { return "bdev_lvol_rename_lvstore" }
func (p LvstoreRename) Object() string { return p.OldName }

// LvstoreRename gives an lvstore another name, and so the aliases of its lvols;
// Exists when another has it (bdev_lvol_rename_lvstore). Never where an lvol of
// it has no bdev, for want of its external snapshot or because another bdev has
// its UUID: the target ends, though the new name is on the disk by then.
func (c *Client) LvstoreRename(ctx context.Context, oldName, newName string) error {
	return c.do(ctx, NewReq(LvstoreRename{oldName, newName}, nil))
}

// Lvstore is one entry of bdev_lvol_get_lvstores.
type Lvstore struct {
	UUID              string `json:"uuid"`
	Name              string `json:"name"`
	BaseBdev          string `json:"base_bdev"`
	TotalDataClusters uint64 `json:"total_data_clusters"`
	FreeClusters      uint64 `json:"free_clusters"`
	BlockSize         uint64 `json:"block_size"`   // bytes
	ClusterSize       uint64 `json:"cluster_size"` // bytes
}

// GetLvstores reads every lvstore (bdev_lvol_get_lvstores).
func GetLvstores(out *[]Lvstore) *Req {
	return listing(&Req{Method: "bdev_lvol_get_lvstores"}, out)
}

// GetLvstores reads every lvstore (bdev_lvol_get_lvstores).
func (c *Client) GetLvstores(ctx context.Context) ([]Lvstore, error) {
	var out []Lvstore
	err := c.do(ctx, GetLvstores(&out))
	return out, err
}
