package apply

import (
	"sync"

	"strata/lineage"
)

// tokens are what the lvols of a pass are called that plans know by token, for
// they were yet to be made.
type tokens struct {
	mu    sync.Mutex
	uuids map[lineage.UUID]lineage.UUID
}

func newTokens() *tokens { return &tokens{uuids: map[lineage.UUID]lineage.UUID{}} }

// bind remembers the UUID of an lvol that was made.
func (t *tokens) bind(token, uuid lineage.UUID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uuids[token] = uuid
}

// resolve gives the real name of a bdev that a plan may know by token.
func (t *tokens) resolve(bdev string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u, ok := t.uuids[lineage.UUID(bdev)]; ok {
		return string(u)
	}
	return bdev
}
