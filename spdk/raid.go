package spdk

import "context"

// RaidCreate makes a RAID of bdevs that may not exist yet (bdev_raid_create).
type RaidCreate struct {
	Name       string   `json:"name"`
	Level      string   `json:"raid_level"`             // RAID1, RAID0 or Concat
	StripKiB   int      `json:"strip_size_kb,omitzero"` // not of a RAID1; a power of two
	BaseBdevs  []string `json:"base_bdevs"`             // names, aliases or UUIDs; stock takes no fewer than two
	UUID       string   `json:"uuid,omitzero"`
	Superblock bool     `json:"superblock,omitzero"`
}

// The levels of RAIDs that are made: a mirror, one that strips go round, and one whose
// bases follow one another. In the listing they are called so, too.
const (
	RAID1  = "raid1"
	RAID0  = "raid0"
	Concat = "concat"
)

func (RaidCreate) Method() string   { return "bdev_raid_create" }
func (p RaidCreate) Object() string { return p.Name }

// RaidCreate makes a RAID (bdev_raid_create). It stays "configuring" until
// every base exists.
func (c *Client) RaidCreate(ctx context.Context, p RaidCreate) error {
	return c.do(ctx, NewReq(p, nil))
}

// RaidDelete names the RAID to delete (bdev_raid_delete).
type RaidDelete struct {
	Name string `json:"name"`
}

func (RaidDelete) Method() string   { return "bdev_raid_delete" }
func (p RaidDelete) Object() string { return p.Name }

// RaidDelete deletes a RAID; its bases keep their data (bdev_raid_delete).
func (c *Client) RaidDelete(ctx context.Context, name string) error {
	return c.do(ctx, NewReq(RaidDelete{name}, nil))
}

// RaidRemoveBase names the base bdev to take out (bdev_raid_remove_base_bdev).
type RaidRemoveBase struct {
	Name string `json:"name"`
}

func (RaidRemoveBase) Method() string   { return "bdev_raid_remove_base_bdev" }
func (p RaidRemoveBase) Object() string { return p.Name }

// RaidRemoveBase takes a bdev out of its RAID online; without its last one the
// RAID is deleted (bdev_raid_remove_base_bdev). It does not answer while the
// peer behind the bdev hangs.
func (c *Client) RaidRemoveBase(ctx context.Context, bdev string) error {
	return c.do(ctx, NewReq(RaidRemoveBase{bdev}, nil))
}

// RaidGrowBase adds a base without copying (bdev_raid_grow_base_bdev of the
// Longhorn fork).
type RaidGrowBase struct {
	RaidName string `json:"raid_name"`
	BaseName string `json:"base_name"`
}

func (RaidGrowBase) Method() string   { return "bdev_raid_grow_base_bdev" }
func (p RaidGrowBase) Object() string { return p.RaidName }

// RaidGrowBase adds a base without copying anything: the caller answers for its
// contents (bdev_raid_grow_base_bdev). Unsupported on stock SPDK.
func (c *Client) RaidGrowBase(ctx context.Context, raid, bdev string) error {
	return c.do(ctx, NewReq(RaidGrowBase{raid, bdev}, nil))
}

// RaidAddBase names the base that a RAID with a free slot takes (bdev_raid_add_base_bdev).
type RaidAddBase struct {
	Raid string `json:"raid_bdev"`
	Base string `json:"base_bdev"`
}

func (RaidAddBase) Method() string   { return "bdev_raid_add_base_bdev" }
func (p RaidAddBase) Object() string { return p.Raid }

// RaidAddBase gives a RAID another base in a free slot, and has every block written to it in the
// background (Raid.Process). It answers when that has begun (bdev_raid_add_base_bdev).
func (c *Client) RaidAddBase(ctx context.Context, raid, bdev string) error {
	return c.do(ctx, NewReq(RaidAddBase{raid, bdev}, nil))
}

// Raid is one entry of bdev_raid_get_bdevs.
type Raid struct {
	Name           string       `json:"name"`
	UUID           string       `json:"uuid"`
	State          string       `json:"state"` // "online", "configuring", "offline"
	Level          string       `json:"raid_level"`
	StripKiB       int          `json:"strip_size_kb"` // 0 of a RAID1
	Superblock     bool         `json:"superblock"`
	NumBases       int          `json:"num_base_bdevs"`
	NumDiscovered  int          `json:"num_base_bdevs_discovered"`
	NumOperational int          `json:"num_base_bdevs_operational"`
	Process        *RaidProcess `json:"process"` // nil: none is running
	Bases          []RaidBase   `json:"base_bdevs_list"`
}

// RaidProcess is a background process of a RAID.
type RaidProcess struct {
	Type     string `json:"type"`   // "rebuild"
	Target   string `json:"target"` // the base bdev
	Progress struct {
		Blocks  uint64 `json:"blocks"`
		Percent int    `json:"percent"`
	} `json:"progress"`
}

// RaidBase is one slot of a RAID. Configured is true also while a rebuild
// process fills it.
type RaidBase struct {
	Name       string `json:"name"` // "" when the slot is empty; not updated by renames
	UUID       string `json:"uuid"`
	Configured bool   `json:"is_configured"`
}

// RaidGet chooses RAIDs by state (bdev_raid_get_bdevs).
type RaidGet struct {
	Category string `json:"category"` // "all", "online", "configuring", "offline"
}

func (RaidGet) Method() string { return "bdev_raid_get_bdevs" }
func (RaidGet) Object() string { return "" }

// GetRaids reads every RAID (bdev_raid_get_bdevs).
func GetRaids(out *[]Raid) *Req { return listing(NewReq(RaidGet{Category: "all"}, nil), out) }

// GetRaids reads every RAID (bdev_raid_get_bdevs).
func (c *Client) GetRaids(ctx context.Context) ([]Raid, error) {
	var out []Raid
	err := c.do(ctx, GetRaids(&out))
	return out, err
}
