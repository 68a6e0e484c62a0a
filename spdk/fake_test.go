package spdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// exchange is one line of a transcript.
type exchange struct {
	Node    string
	Request struct {
		Method string
		Params json.RawMessage
	}
	Response struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
}

// allTranscripts names every recording there is.
func allTranscripts(t *testing.T) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "transcripts", "*.jsonl"))
	if err != nil || len(paths) < len(transcripts) {
		t.Fatal(paths, err)
	}
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}

// transcript reads the exchanges recorded with real targets.
func transcript(tb testing.TB, name string) (all []exchange) {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", "transcripts", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var x exchange
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		if x.Request.Method != "" {
			all = append(all, x)
		}
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		tb.Fatalf("%s: %d exchanges, %v", name, len(all), err)
	}
	return all
}

// serve runs handler for every connection and returns the address.
func serve(tb testing.TB, handler func(net.Conn)) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "s")
	serveAt(tb, path, handler)
	return "unix://" + path
}

func serveAt(tb testing.TB, path string, handler func(net.Conn)) {
	tb.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				handler(nc)
			}()
		}
	}()
}

func client(tb testing.TB, addr string, opts Options) *Client {
	tb.Helper()
	c, err := New(addr, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// request is a request as a fake target sees it.
type request struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
}

// answerAll answers each request with what f returns, nil for not at all.
func answerAll(nc net.Conn, f func(id, method string) []byte) {
	dec := json.NewDecoder(bufio.NewReader(nc))
	for {
		var r request
		if dec.Decode(&r) != nil {
			return
		}
		if b := f(string(r.ID), r.Method); b != nil {
			if _, err := nc.Write(b); err != nil {
				return
			}
		}
	}
}

func appendReply(b []byte, id string, result []byte) []byte {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, id...)
	b = append(b, `,"result":`...)
	b = append(b, result...)
	return append(b, "}\n"...)
}

func reply(id string, result []byte) []byte {
	return bytes.TrimSpace(appendReply(nil, id, result))
}
