package archive

import (
	"bytes"
	"slices"
	"sync"
)

// What of a table is in memory: the newest records, unsorted, and runs up to this many
// bytes each. A table of any length needs less than 32 MiB, and 12 KiB of files and 8
// bytes for each 256 records beyond.
const (
	freshRecords = 1 << 16
	runsInMemory = 8 << 20
	runsOfLevel  = 4
)

// table has for every blob where it is: records in sorted runs of which four of a
// level are merged into one of the next. It may be used concurrently.
type table struct {
	dir string

	mu     sync.RWMutex
	fresh  []record
	latest map[key]int // index in fresh of the first of its key
	runs   []*run      // longest first
}

func newTable(dir string) *table {
	return &table{dir: dir, latest: map[key]int{}}
}

// add adds a record. A blob may be in several packs.
func (t *table) add(r record) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, is := t.latest[r.key()]; !is {
		t.latest[r.key()] = len(t.fresh)
	}
	if t.fresh = append(t.fresh, r); len(t.fresh) < freshRecords {
		return nil
	}
	return t.settle()
}

// settle makes a run of what is fresh.
func (t *table) settle() error {
	if len(t.fresh) == 0 {
		return nil
	}
	slices.SortFunc(t.fresh, func(a, b record) int { return bytes.Compare(a[:], b[:]) })
	r := &run{records: scratch{dir: t.dir, limit: runsInMemory}}
	if _, err := r.append(t.fresh, nil); err != nil {
		return err
	}
	t.runs = append(t.runs, r)
	t.fresh = t.fresh[:0]
	clear(t.latest)
	for {
		same := len(t.runs)
		for same > 0 && t.runs[same-1].level == t.runs[len(t.runs)-1].level {
			same--
		}
		if len(t.runs)-same < runsOfLevel {
			return nil
		}
		if err := t.mergeFrom(same); err != nil {
			return err
		}
	}
}

func (t *table) mergeFrom(first int) error {
	merged, err := merge(t.dir, t.runs[first:])
	if err != nil {
		return err
	}
	for _, r := range t.runs[first:] {
		r.records.close()
	}
	t.runs = append(t.runs[:first], merged)
	return nil
}

// whole makes one run of all, so that each record has a position.
func (t *table) whole() (*run, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.settle(); err != nil {
		return nil, err
	}
	if len(t.runs) == 0 {
		return &run{}, nil
	}
	if len(t.runs) > 1 {
		if err := t.mergeFrom(0); err != nil {
			return nil, err
		}
	}
	return t.runs[0], nil
}

// find calls f with the records of a key until it returns false.
func (t *table) find(k key, f func(record) bool) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if first, is := t.latest[k]; is {
		for _, r := range t.fresh[first:] {
			if r.key() == k && !f(r) {
				return nil
			}
		}
	}
	for _, r := range t.runs {
		if more, err := r.find(k, func(_ int64, rec record) bool { return f(rec) }); err != nil || !more {
			return err
		}
	}
	return nil
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.runs {
		r.records.close()
	}
	t.runs, t.fresh = nil, nil
	clear(t.latest)
}
