package archive

import (
	"context"
	"fmt"
)

// marks are a bit for each record of a table: whether a snapshot needs it.
type marks struct {
	run  *run
	bits []uint64
}

func (m *marks) has(at int64) bool { return m.bits[at/64]>>(at%64)&1 == 1 }

// census is what of a repository is needed. What of it is in memory is a bit for each
// blob, and some bytes for each pack.
type census struct {
	repo  *Repository
	index *index
	marks marks
	// first is for each numbered pack the lowest number of the same pack: index files may
	// have one several times.
	first []uint32
	// size is that of each pack in the store, in bytes, 0 if it is not there; need is the
	// bytes of it that are needed. Both by the lowest number.
	size, need []uint32
	orphans    []ID // packs that are in no index
	records    int
}

// take looks at all packs and all records. The caller has the repository for itself.
func (r *Repository) census(ctx context.Context) (*census, error) {
	x := r.index.Load()
	run, err := x.table.whole()
	if err != nil {
		return nil, err
	}
	n := x.packs.n
	c := &census{repo: r, index: x, marks: marks{run, make([]uint64, (run.n+63)/64)}, first: make([]uint32, n), size: make([]uint32, n), need: make([]uint32, n)}
	var last record
	err = c.each(func(_ int64, rec record) error {
		if kind(rec[len(ID{})]) != packEntry {
			return nil
		}
		if rec.key() != last.key() {
			last = rec
		}
		c.first[rec.pack()] = last.pack()
		return nil
	})
	if err == nil {
		err = c.packs(ctx)
	}
	if err != nil {
		return nil, err
	}
	all, err := r.Records(ctx, Filter{})
	if err != nil {
		return nil, err
	}
	for _, rec := range all {
		if err := c.tree(ctx, rec.tree); err != nil {
			return nil, fmt.Errorf("record %s: %w", rec.ID.Short(), err)
		}
	}
	c.records = len(all)
	return c, nil
}

// each calls f with all records of the table.
func (c *census) each(f func(at int64, rec record) error) error {
	for at := int64(0); at < c.marks.run.n; at += 4 * fence {
		records, err := c.marks.run.read(at, 4*fence)
		if err != nil {
			return err
		}
		for i, rec := range records {
			if err := f(at+int64(i), rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// packs lists what the store has.
func (c *census) packs(ctx context.Context) error {
	for entry, err := range c.repo.store.List(ctx, dataDir) {
		if err != nil {
			return err
		}
		id, err := ParseID(entry.Name)
		if err != nil {
			continue
		}
		known := false
		if _, err := c.marks.run.find(keyOf(packEntry, id), func(_ int64, rec record) bool {
			known = true
			c.size[c.first[rec.pack()]] = uint32(min(entry.Size, maxPack))
			return false
		}); err != nil {
			return err
		}
		if !known {
			c.orphans = append(c.orphans, id)
		}
	}
	return nil
}

// mark marks one copy of a blob, and tells whether none was marked before.
func (c *census) mark(k kind, id ID) (fresh bool, err error) {
	found, marked := int64(-1), false
	var in record
	if _, err := c.marks.run.find(keyOf(k, id), func(at int64, rec record) bool {
		if c.marks.has(at) {
			marked = true
			return false
		}
		// Of several copies the one in a pack that has most that is needed would be best; the
		// first that is there will do.
		if n := rec.pack(); found < 0 && c.first[n] == n && c.size[n] > 0 {
			found, in = at, rec
		}
		return true
	}); err != nil || marked {
		return false, err
	}
	if found < 0 {
		return false, c.repo.damaged(k, id, fmt.Errorf("it is needed, and no pack that is there has it"))
	}
	c.marks.bits[found/64] |= 1 << (found % 64)
	c.need[in.pack()] += in.blob().Length
	return true, nil
}

// tree marks what a tree needs. One that was marked is not looked into again.
func (c *census) tree(ctx context.Context, id ID) error {
	fresh, err := c.mark(treeBlob, id)
	if err != nil || !fresh {
		return err
	}
	nodes, err := c.repo.loadTree(ctx, id)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		for _, id := range n.Content {
			if _, err := c.mark(dataBlob, id); err != nil {
				return err
			}
		}
		if n.Subtree != nil {
			if err := c.tree(ctx, *n.Subtree); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}
