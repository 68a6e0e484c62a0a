package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"testing"
)

func testSealer(t testing.TB) *sealer {
	var raw [64]byte
	for i := range raw {
		raw[i] = byte(i)
	}
	s, err := newSealer(secretFrom(raw[:]))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzSealed: what is opened was sealed, and nothing else is.
func FuzzSealed(f *testing.F) {
	s := testSealer(f)
	f.Add([]byte("content"), 0, byte(1))
	f.Add([]byte{}, 20, byte(0))
	f.Fuzz(func(t *testing.T, plain []byte, at int, flip byte) {
		sealed := s.seal([]byte("before"), plain)[6:]
		changed := bytes.Clone(sealed)
		got, err := s.open(sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%v, %v", got, err)
		}
		if at < 0 || flip == 0 {
			return
		}
		changed[at%len(changed)] ^= flip
		if _, err := s.open(changed); err == nil {
			t.Fatal("what was changed is opened")
		}
		if _, err := s.open(plain); err == nil {
			t.Fatal("what was not sealed is opened")
		}
	})
}

// FuzzPackHeader: of any header what is read is within the pack, and makes the same
// header again.
func FuzzPackHeader(f *testing.F) {
	s := testSealer(f)
	p := &pack{}
	p.add(blob{ID: ID{1}}, s.seal(nil, []byte("one")))
	p.add(blob{ID: ID{2}, Kind: treeBlob, Plain: 9}, s.seal(nil, []byte("two")))
	p.finish(s)
	n := int(binary.LittleEndian.Uint32(p.content[len(p.content)-4:]))
	header, err := s.open(p.content[len(p.content)-4-n : len(p.content)-4])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header, 70)
	f.Fuzz(func(t *testing.T, header []byte, room int) {
		if room < 0 || room > 1<<20 {
			return
		}
		sealed := s.seal(nil, header)
		size := int64(room + len(sealed) + 4)
		blobs, err := readHeader(s, sealed, size)
		if err != nil {
			return
		}
		again := &pack{}
		end := uint32(0)
		for _, b := range blobs {
			if b.Offset != end || b.Length < overhead || b.Kind > treeBlob {
				t.Fatalf("%+v", b)
			}
			end += b.Length
			again.add(b, make([]byte, b.Length))
		}
		if int(end) != room {
			t.Fatalf("%d bytes of blobs in %d", end, room)
		}
		again.finish(s)
		more, err := readPack(s, again.content)
		if err != nil || len(more) != len(blobs) {
			t.Fatalf("%v, %v", more, err)
		}
	})
}

// FuzzPack: any bytes as a pack.
func FuzzPack(f *testing.F) {
	s := testSealer(f)
	p := &pack{}
	p.add(blob{ID: ID{1}}, s.seal(nil, []byte("one")))
	p.finish(s)
	f.Add(p.content)
	f.Add([]byte{0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, content []byte) {
		blobs, err := readPack(s, content)
		if err == nil && !bytes.Equal(content, p.content) && len(blobs) > 0 && len(content) < len(p.content) {
			t.Fatal("a part of a pack is taken for one")
		}
	})
}

// FuzzIndex: any text as an index file: places are within what a pack can be.
func FuzzIndex(f *testing.F) {
	text, err := json.Marshal(map[string]any{"supersedes": []ID{{3}}, "packs": []indexedPack{{ID{1}, []blob{{ID: ID{2}, Kind: treeBlob, Length: 40, Plain: 3}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"packs":null}`))
	f.Add([]byte(`{"packs":[{"blobs":[{"type":"none"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		x := newIndex(t.TempDir())
		defer x.close()
		_ = eachPack(text, func(p indexedPack) error {
			for _, b := range p.Blobs {
				if b.size() < 0 || int64(b.Offset)+int64(b.Length) > maxPack {
					t.Fatalf("%+v", b)
				}
			}
			return x.add(p)
		})
	})
}

// FuzzTree: any text as a tree; what is read is stored as the same again.
func FuzzTree(f *testing.F) {
	text, err := encodeTree(dirNode("d", ID{1}), fileNode("f", 5, []ID{{2}, {3}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"nodes":[{"name":"\\x00","type":"dir"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		nodes, err := decodeTree(text)
		if err != nil {
			return
		}
		for _, n := range nodes {
			if n.Type == "dir" && n.Subtree == nil {
				t.Fatalf("%+v", n)
			}
		}
	})
}

// FuzzDescription: any text as image.json: the shape is one that can be.
func FuzzDescription(f *testing.F) {
	text, err := json.Marshal(description{Version: 1, shape: shape{1 << 40, 1 << 20}, Content: ID{1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var d description
		if d.decode(text) != nil {
			return
		}
		last := d.pieces() - 1
		if d.blocks() < 1 || d.blockLen(d.blocks()-1) < 1 || d.inPiece(last) < 1 || d.pieceLen(last) < 1 || d.inGroup(d.groups()-1) < 1 {
			t.Fatalf("%+v", d)
		}
	})
}

// FuzzKey: any text as a key: what it costs to open one is bounded.
func FuzzKey(f *testing.F) {
	f.Add([]byte(`{"kdf":"scrypt","N":2,"r":1,"p":1,"salt":"","data":""}`))
	f.Add([]byte(`{"kdf":"scrypt","N":1073741824,"r":1024,"p":1,"salt":"","data":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var k keyFile
		if json.Unmarshal(text, &k) != nil || k.N*k.R*k.P > 1<<12 && k.N < scryptMemory/128 {
			return
		}
		if _, err := k.open("p"); err == nil {
			t.Fatal("it opens")
		}
	})
}

// FuzzFile: any bytes as what a file has in it after it was decrypted.
func FuzzFile(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	r := &Repository{seal: testSealer(f), codec: c}
	f.Add(c.compress([]byte{compressedFile}, []byte(`{"packs":[]}`)))
	f.Add([]byte(`{}`))
	f.Add([]byte{9})
	f.Fuzz(func(t *testing.T, text []byte) {
		sealed := r.seal.seal(nil, text)
		got, err := r.openFile(sha256.Sum256(sealed), sealed)
		if err == nil && len(text) > 0 && (text[0] == '{' || text[0] == '[') && !bytes.Equal(got, text) {
			t.Fatalf("%q", got)
		}
	})
}
