package archive

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTable: a table finds what a map would, in memory and in files, with IDs that are
// alike too.
func TestTable(t *testing.T) {
	t.Parallel()
	table := newTable(t.TempDir())
	defer table.close()
	const n = 270_000
	id := func(i int) (id ID) {
		if i%10 == 0 { // the same first eight bytes as many others
			binary.BigEndian.PutUint32(id[20:], uint32(i))
			return id
		}
		c := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		c.Read(id[:])
		return id
	}
	record := func(i, copy int) record {
		return newRecord(uint32(i+copy), blob{ID: id(i), Kind: kind(i % 2), Offset: uint32(i), Length: uint32(i + 40), Plain: uint32(i % 3)})
	}
	for i := range n {
		if err := table.add(record(i, 0)); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 { // some in a second pack, and some said twice
			if err := table.add(record(i, 7)); err != nil {
				t.Fatal(err)
			}
			if err := table.add(record(i, 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() {
		t.Helper()
		for range 1000 {
			i := rand.IntN(n)
			if i%7 == 0 {
				i -= i % 1000
			}
			var got []uint32
			r := record(i, 0)
			if err := table.find(r.key(), func(rec entryOf) bool {
				if b := rec.blob(); b != r.blob() {
					t.Fatalf("record %d: %+v, not %+v", i, b, r.blob())
				}
				got = append(got, rec.pack())
				return true
			}); err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			got = slices.Compact(got)
			want := []uint32{uint32(i)}
			if i%1000 == 0 {
				want = append(want, uint32(i+7))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("record %d is in packs %v, not %v", i, got, want)
			}
			missing := newRecord(0, blob{ID: id(i), Kind: kind((i + 1) % 2)})
			if err := table.find(missing.key(), func(entryOf) bool { t.Error("a record is found that there is not"); return false }); err != nil {
				t.Fatal(err)
			}
		}
	}
	check()
	spilled := false
	for _, r := range table.runs {
		spilled = spilled || r.records.file != nil
	}
	if !spilled {
		t.Error("all is in memory")
	}
	whole, err := table.whole()
	if err != nil {
		t.Fatal(err)
	}
	if whole.n != n+n/1000 {
		t.Errorf("%d records, not %d", whole.n, n+n/1000)
	}
	var last entryOf
	for at := int64(0); at < whole.n; at += 1000 {
		records, err := whole.read(at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if bytes.Compare(last[:], r[:]) >= 0 {
				t.Fatalf("records are out of order at %d", at)
			}
			last = r
		}
	}
	check()
}

type entryOf = record // the name is taken in TestTable

// TestScratch: bytes are where they were written, in memory and in a file, and zero where
// none were.
func TestScratch(t *testing.T) {
	t.Parallel()
	s := scratch{dir: t.TempDir(), limit: 1 << 12}
	defer s.close()
	model := make([]byte, 1<<16)
	for i := range 300 {
		off := rand.IntN(len(model) * min(i+1, 300) / 300)
		p := model[off : off+rand.IntN(min(100, len(model)-off))]
		for j := range p {
			p[j] = byte(rand.Int())
		}
		if _, err := s.WriteAt(p, int64(off)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(model))
		if _, err := s.ReadAt(got, 0); err != nil || !bytes.Equal(got, model) {
			t.Fatalf("after %d writes: %v", i+1, err)
		}
	}
	if s.file == nil {
		t.Error("nothing is in a file")
	}
}

// TestPolynomial: what restic would take for irreducible is, and products are not.
func TestPolynomial(t *testing.T) {
	// Those up to degree 4, of which there are this many by Gauss' formula.
	count := map[int]int{}
	for p := polynomial(2); p < 32; p++ {
		if p.irreducible() {
			count[p.degree()]++
		}
	}
	if count[1] != 2 || count[2] != 1 || count[3] != 2 || count[4] != 3 {
		t.Errorf("irreducible ones by degree: %v", count)
	}
	times := func(p, q polynomial) (r polynomial) {
		for ; q > 0; q >>= 1 {
			if q&1 == 1 {
				r ^= p
			}
			p <<= 1
		}
		return r
	}
	for range 50 {
		p, q := polynomial(rand.Uint64N(1<<26)+2), polynomial(rand.Uint64N(1<<27)+2)
		if times(p, q).irreducible() {
			t.Errorf("%x times %x is irreducible", p, q)
		}
	}
	// From the example in the format's documentation.
	if p := polynomial(0x25b468838dcb75); !p.irreducible() || newPolynomial().degree() != chunkerDegree {
		t.Errorf("%x is not irreducible", p)
	}
}
