package e2e

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is what a host knows of the blocks of a part of a volume that nobody else writes
// to: what the last write to each that was acknowledged was, and which may be there in its
// place, for they were begun and nobody has said how they ended. A write that was not
// acknowledged may be done or not; once a later one is, it must not come any more.
type ledger struct {
	host   byte
	offset int64 // bytes

	mu     sync.Mutex
	next   uint32 // number of a write
	blocks []entry
	acks   []ack
}

// entry is of a block.
type entry struct {
	acked  uint32   // 0 before the first
	open   []uint32 // begun since
	busy   bool     // a write is under way
	parted string   // the engine that the open ones were sent to, by a connection that was given up
}

// ack is of a write.
type ack struct {
	by          string // the engine
	begun, told time.Time
}

func newLedger(host byte, offset int64, blocks int) *ledger {
	return &ledger{host: host, offset: offset, next: 1, blocks: make([]entry, blocks)}
}

// begin takes a block to write to by an engine, and the number of that write; false where
// one is under way, or one that was given up may come after it still.
func (l *ledger) begin(block int, by string) (number uint32, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &l.blocks[block]
	if e.busy || e.parted == by {
		return 0, false
	}
	number, e.busy = l.next, true
	l.next++
	e.open = append(e.open, number)
	return number, true
}

// how a write has ended.
type how int

const (
	unknown how = iota // nobody has said: it may be done, or be done yet
	refused            // it was not done
	done
)

// end says how a write has ended that was begun at some time.
func (l *ledger) end(block int, number uint32, by string, begun time.Time, end how) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &l.blocks[block]
	e.busy = false
	switch end {
	case done:
		e.acked, e.open, e.parted = number, nil, ""
		l.acks = append(l.acks, ack{by, begun, time.Now()})
	case refused:
		e.open = slices.DeleteFunc(e.open, func(n uint32) bool { return n == number })
	case unknown:
		e.parted = by
	}
}

// hold has nobody write to a block until leave; false where somebody does.
func (l *ledger) hold(block int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	busy := l.blocks[block].busy
	l.blocks[block].busy = true
	return !busy
}

func (l *ledger) leave(block int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocks[block].busy = false
}

// acked is the last write to a block that was acknowledged.
func (l *ledger) acked(block int) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocks[block].acked
}

// judge says what is wrong with what was read of a block while nobody wrote to it.
func (l *ledger) judge(block int, data []byte) error {
	have, err := l.number(block, data)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.blocks[block]
	if have == e.acked || slices.Contains(e.open, have) {
		return nil
	}
	return fmt.Errorf("block %d of host %c has write %d, and %d was acknowledged; %v may be there", block, l.host, have, e.acked, e.open)
}

// judgeAll is judge for all blocks in an image of the volume.
func (l *ledger) judgeAll(image []byte) error {
	var wrong []string
	for b := range l.blocks {
		at := l.offset + int64(b)*block
		if err := l.judge(b, image[at:at+block]); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d blocks: %s", len(wrong), len(l.blocks), strings.Join(wrong[:min(5, len(wrong))], "; "))
	}
	return nil
}

// settle takes what is in an image for what is there from here on: nothing is under way
// that could change it.
func (l *ledger) settle(image []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for b := range l.blocks {
		at := l.offset + int64(b)*block
		if have, err := l.number(b, image[at:at+block]); err == nil {
			l.blocks[b] = entry{acked: have}
		}
	}
	l.acks = nil
}

// taken are the writes acknowledged since it was settled.
func (l *ledger) taken() []ack {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.acks)
}

// fill is what a write puts into a block: every word says of which it is.
func (l *ledger) fill(b int, number uint32) []byte {
	data := make([]byte, block)
	for i := 0; i < block; i += 8 {
		binary.LittleEndian.PutUint64(data[i:], l.word(b, number, i))
	}
	return data
}

func (l *ledger) word(b int, number uint32, at int) uint64 {
	return uint64(number)<<32 | uint64(l.host)<<24 | uint64(b)<<12 | uint64(at/8)
}

// number is that of the write that a block has.
func (l *ledger) number(b int, data []byte) (uint32, error) {
	number := binary.LittleEndian.Uint32(data[4:])
	for i := 0; i < block; i += 8 {
		if have := binary.LittleEndian.Uint64(data[i:]); have != l.word(b, number, i) {
			return 0, fmt.Errorf("block %d of host %c is of write %d, and torn or of another at byte %d: %#x", b, l.host, number, i, have)
		}
	}
	return number, nil
}

// bothAcknowledged says of which of two engines writes were acknowledged that were begun
// after the other had acknowledged one that followed a cut at some time.
func bothAcknowledged(cut time.Time, old string, all []ack) (bad int, after int) {
	var first time.Time
	for _, a := range all {
		if a.by != old && a.begun.After(cut) && (first.IsZero() || a.told.Before(first)) {
			first = a.told
		}
	}
	for _, a := range all {
		if a.by != old || !a.begun.After(cut) {
			continue
		}
		after++
		if !first.IsZero() && a.begun.After(first) {
			bad++
		}
	}
	return bad, after
}

// The judge of a cut finds each thing that must not be.
func TestLedger(t *testing.T) {
	l := newLedger('a', 2*block, 3)
	image := make([]byte, 8*block)
	put := func(b int, number uint32) { copy(image[(2+b)*block:], l.fill(b, number)) }
	write := func(b int, end how) uint32 {
		n, ok := l.begin(b, "n1")
		if !ok {
			t.Fatalf("block %d is not free", b)
		}
		l.end(b, n, "n1", time.Now(), end)
		return n
	}
	for b := range 3 {
		put(b, write(b, done))
	}
	check := func(what string, wrong bool) {
		t.Helper()
		if err := l.judgeAll(image); (err != nil) != wrong {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("all is there", false)
	write(0, refused)
	check("all is there but for one that was refused", false)
	before := l.acked(1)
	lost := write(1, done)
	check("an acknowledged write is lost", true)
	put(1, lost)
	never := write(1, unknown)
	check("one that was not acknowledged is not there", false)
	put(1, never)
	check("or it is", false)
	if _, ok := l.begin(1, "n1"); ok {
		t.Error("a block is written to by the engine that may write to it late")
	}
	n, ok := l.begin(1, "n2")
	if !ok {
		t.Fatal("another engine may not")
	}
	l.end(1, n, "n2", time.Now(), done)
	check("it comes after one that was acknowledged later", true)
	put(1, before)
	check("an old one is back", true)
	put(1, n)
	check("all is there again", false)
	image[(2+1)*block+800]++
	check("a block is torn", true)
	put(1, n)
	copy(image[(2+1)*block:], newLedger('b', 0, 3).fill(1, n))
	check("a block is another host's", true)

	cut := time.Now()
	at := func(ms int) time.Time { return cut.Add(time.Duration(ms) * time.Millisecond) }
	fine := []ack{{"n1", at(-5), at(1)}, {"n1", at(5), at(6)}, {"n2", at(7), at(9)}, {"n1", at(8), at(12)}}
	if bad, after := bothAcknowledged(cut, "n1", fine); bad != 0 || after != 2 {
		t.Errorf("%d and %d of writes that do not overlap", bad, after)
	}
	if bad, _ := bothAcknowledged(cut, "n1", append(fine, ack{"n1", at(10), at(11)})); bad != 1 {
		t.Errorf("%d writes acknowledged by both, not 1", bad)
	}
}
