package apply

import (
	"context"
	"errors"
	"strings"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
	"strata/spdk/shallow"
)

// copyNote is the bdev on the source's node that says by which number its target
// knows the copy of a layer onto an lvol of a peer. Without it a copy is made as
// well: it is only not found again by another run.
type copyNote struct {
	t     *spdk.Client
	name  string
	layer string // alias, as plans have it: what the target calls the lvstore may change
}

// noteTimeout is how long a note may take that is written while a run ends.
const noteTimeout = 2 * time.Second

// read finds the number of a copy that was begun.
func (n copyNote) read(ctx context.Context) (id uint32, found bool, err error) {
	b, err := n.t.GetBdev(ctx, n.name)
	if spdk.ClassOf(err) == spdk.NotFound {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if id, found = lineage.ParseCopyMark(lineage.UUID(b.UUID), n.layer); !found {
		n.delete(ctx) // of another layer; the lvol has been used for others since
	}
	return id, found, nil
}

func (n copyNote) write(ctx context.Context, id uint32) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	_, _ = n.t.NullCreate(ctx, spdk.NullCreate{Name: n.name, NumBlocks: 1, BlockSize: 512, UUID: string(lineage.CopyMark(id, n.layer))})
}

// over takes the note away unless the copy may be going on.
func (n copyNote) over(ctx context.Context, err error) {
	if err == nil || !errors.Is(err, context.Canceled) && !shallow.Silent(err) {
		n.delete(ctx)
	}
}

func (n copyNote) delete(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	_ = n.t.NullDelete(ctx, n.name) // gone already; or left, and then it says what is not so any more
}

// forgetCopy takes away the note of a copy onto staging that a link shows no
// more: whatever came of it, nobody will take it up.
func (c *caller) forgetCopy(ctx context.Context, op plan.NamespaceRemove) {
	name := string(op.Label)[strings.LastIndexByte(string(op.Label), '/')+1:]
	n, _ := lineage.Parse(lineage.LvolName(name))
	l, ok := c.cluster.ParseLink(op.NQN)
	if _, staging := n.(lineage.Staging); !staging || !ok || c.targets[l.To] == nil {
		return
	}
	copyNote{t: c.targets[l.To], name: c.cluster.CopyNote(lineage.UUID(c.resolve(op.Bdev)))}.delete(ctx)
}

// forgetOwnCopy does so for staging that is deleted on the node itself, which may have copied
// to it from another pool, over no link.
func (c *caller) forgetOwnCopy(ctx context.Context, t *spdk.Client, op plan.LvolDelete, alias string) {
	n, _ := lineage.Parse(op.Name)
	if _, staging := n.(lineage.Staging); !staging {
		return
	}
	if b, err := t.GetBdev(ctx, alias); err == nil {
		copyNote{t: t, name: c.cluster.CopyNote(lineage.UUID(b.UUID))}.delete(ctx)
	}
}
