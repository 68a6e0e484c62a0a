package rpclog

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/spdk"
)

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rpc.jsonl")
	for _, node := range []string{"n1", "n2"} { // one after the other appends
		f, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		trace := f.Trace(node)
		trace("answered", json.RawMessage(`{"name":"a","psk":"hush"}`), json.RawMessage(`["a"]`), nil, time.Second)
		trace("bdev_lvol_delete", nil, nil, &spdk.Error{Method: "bdev_lvol_delete", Class: spdk.NotFound, Code: -19, Message: "No such device"}, time.Millisecond)
		trace("lost", nil, nil, errors.New("nobody answers"), 0)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		trace("late", nil, nil, nil, 0)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		var x exchange
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		if age := time.Since(x.Time); age < 0 || age > time.Minute {
			t.Errorf("it was sent %v ago", age)
		}
		x.Time = time.Time{}
		b, _ := json.Marshal(x)
		got = append(got, strings.TrimPrefix(string(b), `{"time":"0001-01-01T00:00:00Z",`))
	}
	want := []string{
		`"node":"n1","method":"answered","params":{"name":"a","psk":"[removed]"},"result":["a"],"seconds":1}`,
		`"node":"n1","method":"bdev_lvol_delete","error":{"class":"not found","code":-19,"message":"No such device"},"seconds":0.001}`,
		`"node":"n1","method":"lost","error":{"class":"other","message":"nobody answers"},"seconds":0}`,
	}
	for _, line := range want[:3] {
		want = append(want, strings.Replace(line, "n1", "n2", 1))
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("there is\n%s\nand should be\n%s", a, b)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestFileIncomplete: that something is missing is said at the end.
func TestFileIncomplete(t *testing.T) {
	f, err := Open("/dev/full")
	if err != nil {
		t.Skip(err)
	}
	f.Trace("n1")("lost", nil, nil, nil, 0)
	if err := f.Close(); err == nil || !strings.Contains(err.Error(), "not every exchange is in /dev/full") {
		t.Error(err)
	}
}

func TestNoFile(t *testing.T) {
	var f *File
	if f.Trace("n1") != nil || f.Close() != nil {
		t.Error("it is told of exchanges")
	}
}
