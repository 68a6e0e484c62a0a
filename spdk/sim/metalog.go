package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// metaLog is the durable metadata of one lvstore: a file of lines, one for
// every change that has to be seen whole, each written by one write call. A
// torn last line, as a kill may leave, is as if it had never been.
type metaLog struct {
	f       *os.File
	pending []record
	depth   int
	err     error
}

type record struct {
	Op    string  `json:"op"`
	Store *header `json:"store,omitempty"`
	Blob  *blob   `json:"blob,omitempty"`
	ID    uint64  `json:"id,omitempty"`
	To    uint64  `json:"to,omitempty"`
	// Pairs are clusters of a blob and of the disk in turn.
	Pairs []uint32 `json:"pairs,omitempty"`
}

type header struct {
	UUID    string `json:"uuid"`
	Name    string `json:"name"`
	Cluster int64  `json:"cluster"`
	Block   uint32 `json:"block"`
	Total   uint32 `json:"total"`
	First   uint32 `json:"first"`
	GrowMax uint64 `json:"growMax"`
	LastID  uint64 `json:"lastID"`
}

func (s *blobstore) header() *header {
	return &header{s.uuid, s.name, s.cluster, s.block, s.total, s.first, s.growMax, s.lastID}
}

// begin and end bracket what has to become durable together.
func (l *metaLog) begin() {
	if l != nil {
		l.depth++
	}
}

func (l *metaLog) end() {
	if l == nil {
		return
	}
	if l.depth--; l.depth == 0 && len(l.pending) > 0 {
		var b bytes.Buffer
		if err := json.NewEncoder(&b).Encode(l.pending); err != nil {
			l.err = errors.Join(l.err, err)
		} else if _, err := l.f.Write(b.Bytes()); err != nil {
			l.err = errors.Join(l.err, err)
		}
		l.pending = l.pending[:0]
	}
}

func (l *metaLog) add(r record) {
	if l == nil {
		return
	}
	l.begin()
	l.pending = append(l.pending, r)
	l.end()
}

func (l *metaLog) close() error { return errors.Join(l.err, l.f.Close()) }

// save writes the whole store as the new beginning of its log.
func (s *blobstore) save() error {
	path := s.disk.logPath
	if path == "" {
		return nil
	}
	if s.log != nil {
		if err := s.log.close(); err != nil {
			return err
		}
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(f).Encode(s.records()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := os.Rename(path+".new", path); err != nil {
		return errors.Join(err, f.Close())
	}
	s.log = &metaLog{f: f}
	return nil
}

// records is the whole store.
func (s *blobstore) records() []record {
	recs := []record{{Op: "store", Store: s.header()}}
	for _, b := range s.ordered() {
		c := *b
		c.Name = cmp.Or(b.onDisk, b.Name)
		recs = append(recs, record{Op: "put", Blob: &c})
	}
	return recs
}

// copy is the same store on another disk.
func (s *blobstore) copy(d *disk) (*blobstore, error) {
	raw, err := json.Marshal(s.records())
	if err != nil {
		return nil, err
	}
	var recs []record
	if err := json.Unmarshal(raw, &recs); err != nil {
		return nil, err
	}
	c := &blobstore{disk: d, blobs: map[uint64]*blob{}}
	for _, r := range recs {
		if err := c.replay(r); err != nil {
			return nil, err
		}
	}
	c.rebuild()
	return c, c.save()
}

// erase ends the store on its disk.
func (s *blobstore) erase() error {
	s.disk.store = nil
	if s.log == nil {
		return nil
	}
	return errors.Join(os.Remove(s.disk.logPath), s.log.close())
}

// openStore reads the store a disk has, nil if it has none.
func openStore(d *disk) (*blobstore, error) {
	f, err := os.Open(d.logPath)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &blobstore{disk: d, blobs: map[uint64]*blob{}}
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var recs []record
		if err := json.Unmarshal(line, &recs); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", d.logPath, n, err)
		}
		for _, rec := range recs {
			if err := s.replay(rec); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", d.logPath, n, err)
			}
		}
	}
	if s.uuid == "" {
		return nil, nil
	}
	s.rebuild()
	return s, s.save()
}

func (s *blobstore) replay(r record) error {
	b, to := s.blobs[r.ID], s.blobs[r.To]
	switch r.Op {
	case "store":
		h := r.Store
		s.uuid, s.name, s.cluster, s.block = h.UUID, h.Name, h.Cluster, h.Block
		s.total, s.first, s.growMax, s.lastID = h.Total, h.First, h.GrowMax, h.LastID
		return nil
	case "put":
		if old := s.blobs[r.Blob.ID]; old != nil && r.Blob.Map == nil {
			r.Blob.Map = old.Map
		}
		s.blobs[r.Blob.ID] = r.Blob
		s.lastID = max(s.lastID, r.Blob.ID)
		return nil
	}
	if b == nil || (r.Op == "move" && to == nil) {
		return fmt.Errorf("%s of a blob that is not there", r.Op)
	}
	switch r.Op {
	case "alloc":
		if b.Map == nil {
			b.Map = map[uint32]uint32{}
		}
		for i := 0; i+1 < len(r.Pairs); i += 2 {
			b.Map[r.Pairs[i]] = r.Pairs[i+1]
		}
	case "free":
		for i := 0; i+1 < len(r.Pairs); i += 2 {
			delete(b.Map, r.Pairs[i])
		}
	case "move":
		if to.Map == nil {
			to.Map = map[uint32]uint32{}
		}
		for i, c := range b.Map {
			if _, ok := to.Map[i]; !ok && i < to.Clusters {
				to.Map[i] = c
			}
		}
		b.Map = nil
	case "shrink":
		for i := range b.Map {
			if i >= b.Clusters {
				delete(b.Map, i)
			}
		}
	case "drop":
		delete(s.blobs, r.ID)
	default:
		return fmt.Errorf("unknown record %q", r.Op)
	}
	return nil
}

// rebuild derives what is not in the log.
func (s *blobstore) rebuild() {
	taken := map[uint32]bool{}
	s.next, s.used, s.freed = s.first, 0, nil
	for _, b := range s.ordered() {
		if p := s.blobs[b.Parent]; p != nil {
			p.children = append(p.children, b.ID)
		}
		for _, c := range b.Map {
			taken[c] = true
			s.used++
			s.next = max(s.next, c+1)
		}
	}
	for c := s.first; c < s.next; c++ {
		if !taken[c] {
			s.freed = append(s.freed, c)
		}
	}
}
