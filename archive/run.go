package archive

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
)

// record is a blob's place in a table, 49 bytes: ID and kind, which are the key, then
// number of the pack, offset, length and length of the content, each of 4.
type record [recordSize]byte

const (
	keySize    = len(ID{}) + 1
	recordSize = keySize + 4*4
)

type key [keySize]byte

func keyOf(k kind, id ID) (out key) {
	copy(out[:], id[:])
	out[len(id)] = byte(k)
	return out
}

func newRecord(pack uint32, b blob) (r record) {
	k := keyOf(b.Kind, b.ID)
	copy(r[:], k[:])
	for i, n := range [...]uint32{pack, b.Offset, b.Length, b.Plain} {
		binary.BigEndian.PutUint32(r[keySize+4*i:], n)
	}
	return r
}

func (r *record) key() key { return key(r[:keySize]) }

func (r *record) pack() uint32 { return binary.BigEndian.Uint32(r[keySize:]) }

func (r *record) blob() blob {
	return blob{
		ID: ID(r[:]), Kind: kind(r[len(ID{})]),
		Offset: binary.BigEndian.Uint32(r[keySize+4:]),
		Length: binary.BigEndian.Uint32(r[keySize+8:]),
		Plain:  binary.BigEndian.Uint32(r[keySize+12:]),
	}
}

// run is records in order, each once. What of it is in memory whatever its length is
// the start of each fence's first key: a look-up reads one fence or two.
type run struct {
	records scratch
	n       int64
	fences  []uint64
	level   int
}

// fence is of how many records one is.
const fence = 256

// append is of records in order; the same one again is left out. last is what the
// previous call returned.
func (r *run) append(records []record, last *record) (*record, error) {
	raw := make([]byte, 0, len(records)*recordSize)
	for i := range records {
		if last != nil && records[i] == *last {
			continue
		}
		if (r.n+int64(len(raw)/recordSize))%fence == 0 {
			r.fences = append(r.fences, binary.BigEndian.Uint64(records[i][:]))
		}
		raw, last = append(raw, records[i][:]...), &records[i]
	}
	_, err := r.records.WriteAt(raw, r.n*int64(recordSize))
	r.n += int64(len(raw) / recordSize)
	if last != nil {
		kept := *last
		last = &kept
	}
	return last, err
}

// read reads up to n records from at on.
func (r *run) read(at, n int64) ([]record, error) {
	n = min(n, r.n-at)
	raw := make([]byte, int(n)*recordSize)
	if _, err := r.records.ReadAt(raw, at*int64(recordSize)); err != nil {
		return nil, err
	}
	out := make([]record, n)
	for i := range out {
		out[i] = record(raw[i*recordSize:])
	}
	return out, nil
}

// find calls f with the records of a key and their positions, until it returns false.
func (r *run) find(k key, f func(at int64, rec record) bool) (more bool, err error) {
	prefix := binary.BigEndian.Uint64(k[:])
	first, _ := slices.BinarySearch(r.fences, prefix)
	for i := max(0, first-1); i < len(r.fences) && r.fences[i] <= prefix; i++ {
		records, err := r.read(int64(i)*fence, fence)
		if err != nil {
			return false, err
		}
		for j := sort.Search(len(records), func(j int) bool { return bytes.Compare(records[j][:keySize], k[:]) >= 0 }); j < len(records); j++ {
			if records[j].key() != k {
				return true, nil
			}
			if !f(int64(i)*fence+int64(j), records[j]) {
				return false, nil
			}
		}
	}
	return true, nil
}

// merge makes one run of several.
func merge(dir string, runs []*run) (*run, error) {
	out := &run{records: scratch{dir: dir, limit: runsInMemory}, level: runs[0].level + 1}
	ways := make([]way, len(runs))
	for i, r := range runs {
		ways[i].run = r
	}
	var last *record
	batch := make([]record, 0, 4*fence)
	for {
		var least *way
		for i := range ways {
			w := &ways[i]
			if err := w.fill(); err != nil {
				out.records.close()
				return nil, err
			}
			if len(w.head) > 0 && (least == nil || bytes.Compare(w.head[0][:], least.head[0][:]) < 0) {
				least = w
			}
		}
		if least != nil {
			batch, least.head = append(batch, least.head[0]), least.head[1:]
		}
		if len(batch) == cap(batch) || least == nil {
			var err error
			if last, err = out.append(batch, last); err != nil {
				out.records.close()
				return nil, err
			}
			batch = batch[:0]
		}
		if least == nil {
			return out, nil
		}
	}
}

// way is how far a merge has come in a run.
type way struct {
	run  *run
	at   int64
	head []record
}

func (w *way) fill() (err error) {
	if len(w.head) == 0 && w.at < w.run.n {
		w.head, err = w.run.read(w.at, 4*fence)
		w.at += int64(len(w.head))
	}
	return err
}
