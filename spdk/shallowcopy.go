package spdk

import "context"

// StartShallowCopy copies the clusters allocated in one snapshot, not those of
// its parents, onto a bdev (bdev_lvol_start_shallow_copy).
type StartShallowCopy struct {
	SrcLvol string `json:"src_lvol_name"` // alias or UUID of a snapshot
	DstBdev string `json:"dst_bdev_name"`
}

func (StartShallowCopy) Method() string   { return "bdev_lvol_start_shallow_copy" }
func (p StartShallowCopy) Object() string { return p.SrcLvol }

// ShallowCopyOp is what bdev_lvol_start_shallow_copy answers.
type ShallowCopyOp struct {
	ID uint32 `json:"operation_id"`
}

// StartShallowCopy starts copying a snapshot's own clusters onto a bdev and
// returns the operation's id, which only CheckShallowCopy understands
// (bdev_lvol_start_shallow_copy). Errors may show only there. NotPermitted
// while another copy runs onto the same bdev.
func (c *Client) StartShallowCopy(ctx context.Context, src, dst string) (id uint32, err error) {
	var op ShallowCopyOp
	err = c.do(ctx, NewReq(StartShallowCopy{src, dst}, &op))
	return op.ID, err
}

// States of a shallow copy.
const (
	CopyInProgress = "in progress"
	CopyComplete   = "complete"
	CopyError      = "error"
)

// ShallowCopy is the progress of a copy (bdev_lvol_check_shallow_copy).
type ShallowCopy struct {
	CopiedClusters uint64 `json:"copied_clusters"`
	TotalClusters  uint64 `json:"total_clusters"`
	State          string `json:"state"` // CopyInProgress, CopyComplete, CopyError
	Error          string `json:"error"` // with CopyError
}

// CheckShallowCopy names the operation to look at (bdev_lvol_check_shallow_copy).
type CheckShallowCopy struct {
	ID uint32 `json:"operation_id"`
}

func (CheckShallowCopy) Method() string { return "bdev_lvol_check_shallow_copy" }
func (CheckShallowCopy) Object() string { return "" }

// CheckShallowCopy reads a copy's progress (bdev_lvol_check_shallow_copy). The
// target forgets the operation as soon as it has reported its end: NotFound
// from then on, as after a restart.
func (c *Client) CheckShallowCopy(ctx context.Context, id uint32) (ShallowCopy, error) {
	var out ShallowCopy
	err := c.do(ctx, NewReq(CheckShallowCopy{id}, &out))
	return out, err
}
