package archive

import "sync"

// packList numbers packs, so that a blob's place needs four bytes for its pack.
type packList struct {
	mu  sync.RWMutex
	ids scratch
	n   uint32
}

func newPackList(dir string) *packList {
	return &packList{ids: scratch{dir: dir, limit: 8 << 20}}
}

func (l *packList) add(id ID) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.n
	if _, err := l.ids.WriteAt(id[:], int64(n)*int64(len(id))); err != nil {
		return 0, err
	}
	l.n++
	return n, nil
}

func (l *packList) id(n uint32) (id ID, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, err = l.ids.ReadAt(id[:], int64(n)*int64(len(id)))
	return id, err
}

func (l *packList) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids.close()
}
