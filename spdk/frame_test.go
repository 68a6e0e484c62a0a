package spdk

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrameAnyPieces(t *testing.T) {
	want := []string{
		`{}`, `{"a":"}"}`, `{"a":"\"}{"}`, `{"a":"\\"}`, `{"a":[{"b":[]},"]"],"c":{"d":"\\\"}"}}`,
	}
	stream := strings.Join(want, " \n")
	for name, r := range map[string]io.Reader{
		"whole":         strings.NewReader(stream),
		"byte by byte":  iotest.OneByteReader(strings.NewReader(stream)),
		"halves":        iotest.HalfReader(strings.NewReader(stream)),
		"data with EOF": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		in := recordBuffer{limit: maxRecord}
		for _, w := range want {
			if got, _, err := in.next(r); err != nil || string(got) != w {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, w)
			}
		}
		if _, _, err := in.next(r); err != io.EOF {
			t.Errorf("%s: %v at the end", name, err)
		}
	}
}

func TestFrameRefuses(t *testing.T) {
	for in, want := range map[string]error{
		`[]`:         errNotObject,
		`x`:          errNotObject,
		` "a"`:       errNotObject,
		`{"a":"}`:    io.ErrUnexpectedEOF,
		`{"a":12345`: io.ErrUnexpectedEOF,
	} {
		r := recordBuffer{limit: maxRecord}
		if _, _, err := r.next(strings.NewReader(in)); err != want {
			t.Errorf("%s: %v, want %v", in, err, want)
		}
	}
	r := recordBuffer{limit: 10}
	if _, _, err := r.next(strings.NewReader(`{"a":"0123456789"`)); err != errTooLong {
		t.Errorf("no limit: %v", err)
	}
}

func TestBufferGrowsAndShrinks(t *testing.T) {
	big := `{"a":"` + strings.Repeat("x", 5*smallBuffer) + `"}`
	src := strings.NewReader(big + `{"b":1}` + big)
	in := recordBuffer{limit: maxRecord}
	for _, want := range []string{big, `{"b":1}`, big} {
		if got, _, err := in.next(src); err != nil || string(got) != want {
			t.Fatalf("%d bytes, %v, want %d", len(got), err, len(want))
		}
	}
	if in.next(src); cap(in.buf) != smallBuffer {
		t.Errorf("keeps %d bytes while idle", cap(in.buf))
	}
}

func TestEnvelope(t *testing.T) {
	for in, want := range map[string]envelope{
		`{"jsonrpc":"2.0","id":7,"result":[1,{"id":9}]}`:   {id: 7, result: []byte(`[1,{"id":9}]`)},
		"{ \"result\" : \"a,b\" ,\n\"id\" : 7 }":           {id: 7, result: []byte(`"a,b"`)},
		`{"id":7,"error":{"code":-1},"result":null}`:       {id: 7, result: []byte("null"), err: []byte(`{"code":-1}`)},
		`{"id":7,"error":null,"result":true}`:              {id: 7, result: []byte("true")},
		`{"id":null,"error":{"code":-32700,"message":""}}`: {err: []byte(`{"code":-32700,"message":""}`)},
	} {
		var f frame
		n, err := f.scan([]byte(in))
		if n != len(in) || err != nil {
			t.Fatal(in, n, err)
		}
		e, err := f.open([]byte(in))
		if err != nil || e.id != want.id || !bytes.Equal(e.result, want.result) || !bytes.Equal(e.err, want.err) {
			t.Errorf("%s: %d %s %s, %v", in, e.id, e.result, e.err, err)
		}
	}
	for _, in := range []string{`{}`, `{1:2}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,,,,,,,,}`} {
		var f frame
		n, _ := f.scan([]byte(in))
		if _, err := f.open([]byte(in)[:n]); err == nil {
			t.Errorf("%s is taken for a reply", in)
		}
	}
}

// FuzzFrame compares with encoding/json: whatever is a sequence of objects is
// split in the same places, however it arrives; nothing makes it panic.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":[{"name":"a\"}"}]}{"id":2}`), uint8(3))
	f.Add([]byte(`{"a":"\\\\"} {"b":[[],{}]}`), uint8(1))
	f.Add([]byte(`{"a":1}x`), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		in := recordBuffer{limit: maxRecord}
		src := &pieces{stream, int(piece) + 1}
		dec := json.NewDecoder(bytes.NewReader(stream))
		for {
			var want json.RawMessage
			err := dec.Decode(&want)
			got, frame, gotErr := in.next(src)
			if gotErr == nil {
				frame.open(got)
			}
			if err != nil || want[0] != '{' {
				return
			}
			if gotErr != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %q, %v, want %q", got, gotErr, want)
			}
		}
	})
}

// pieces reads at most n bytes at a time.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(p.n, len(b))], p.b)
	p.b = p.b[n:]
	return n, nil
}
