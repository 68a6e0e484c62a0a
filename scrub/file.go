package scrub

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"strata/lineage"
)

// header is the first line of a file of sums.
const header = `{"strata":"sums","version":1}`

// Write writes copies, a line of JSON each.
func Write(w io.Writer, copies []Copy) error {
	buf := bufio.NewWriter(w)
	fmt.Fprintln(buf, header)
	enc := json.NewEncoder(buf)
	for _, c := range copies {
		if err := enc.Encode(kept{c.Node, c.Lvstore, c.Layer, c.UUID, c.Block, pack(c.Sums)}); err != nil {
			return err
		}
	}
	return buf.Flush()
}

// kept is a copy as a file has it.
type kept struct {
	Node    lineage.Node     `json:"node"`
	Lvstore string           `json:"lvstore"`
	Layer   lineage.LvolName `json:"layer"`
	UUID    lineage.UUID     `json:"uuid"`
	Block   int64            `json:"block"`
	Sums    []byte           `json:"sums"` // of each block 8 bytes that say where it is, and its SHA-256
}

const packed = 8 + 32

func pack(sums []Sum) []byte {
	b := make([]byte, 0, len(sums)*packed)
	for _, s := range sums {
		for shift := 56; shift >= 0; shift -= 8 {
			b = append(b, byte(s.At>>shift))
		}
		b = append(b, s.SHA256[:]...)
	}
	return b
}

func unpack(b []byte) ([]Sum, error) {
	if len(b)%packed != 0 {
		return nil, fmt.Errorf("%d bytes of sums are no whole ones", len(b))
	}
	sums := make([]Sum, 0, len(b)/packed)
	for p := range slices.Chunk(b, packed) {
		s := Sum{}
		for _, digit := range p[:8] {
			s.At = s.At<<8 | int64(digit)
		}
		copy(s.SHA256[:], p[8:])
		if n := len(sums); s.At < 0 || n > 0 && sums[n-1].At >= s.At {
			return nil, errors.New("its sums are not in order")
		}
		sums = append(sums, s)
	}
	return sums, nil
}

// Read reads what Write has written.
func Read(r io.Reader) (copies []Copy, err error) {
	buf := bufio.NewReader(r)
	if line, err := buf.ReadString('\n'); err != nil || line != header+"\n" {
		return nil, errors.New("it is no file of sums that this strata reads")
	}
	dec := json.NewDecoder(buf)
	for {
		var k kept
		if err := dec.Decode(&k); errors.Is(err, io.EOF) {
			return copies, nil
		} else if err != nil {
			return nil, err
		}
		sums, err := unpack(k.Sums)
		if err != nil {
			return nil, err
		}
		copies = append(copies, Copy{k.Node, k.Lvstore, k.Layer, k.UUID, k.Block, sums})
	}
}
