package spdk

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// manyBdevs is a bdev_get_bdevs result of n lvols as v26.05 writes them.
func manyBdevs(tb testing.TB, n int) []byte {
	tb.Helper()
	var kinds []stdjson.RawMessage
	for _, x := range transcript(tb, "stock-v26.05.jsonl") {
		if x.Request.Method == "bdev_get_bdevs" && x.Response.Result != nil {
			var list []stdjson.RawMessage
			if err := stdjson.Unmarshal(x.Response.Result, &list); err != nil {
				tb.Fatal(err)
			}
			kinds = append(kinds, list...)
		}
	}
	return array(tb, kinds, n)
}

// array repeats elements until there are n, as compact as a target writes them.
func array(tb testing.TB, elements []stdjson.RawMessage, n int) []byte {
	tb.Helper()
	var b bytes.Buffer
	for i := range n {
		b.WriteByte("[,"[min(i, 1)])
		if err := stdjson.Compact(&b, elements[i%len(elements)]); err != nil {
			tb.Fatal(err)
		}
	}
	b.WriteByte(']')
	return b.Bytes()
}

// someListeners is the longest nvmf_subsystem_get_listeners result seen.
func someListeners(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	for _, x := range transcript(tb, "stock-v26.05.jsonl") {
		if x.Request.Method == "nvmf_subsystem_get_listeners" && len(x.Response.Result) > b.Len() {
			b.Reset()
			if err := stdjson.Compact(&b, x.Response.Result); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return b.Bytes()
}

func BenchmarkFrame(b *testing.B) {
	rec := reply("7", manyBdevs(b, 600))
	b.SetBytes(int64(len(rec)))
	for b.Loop() {
		var f frame
		if n, err := f.scan(rec); n != len(rec) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	bdevs, listeners := manyBdevs(b, 600), someListeners(b)
	run := func(name string, size int, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("bdevs/encoding-json", len(bdevs), func() error {
		var out []Bdev
		return stdjson.Unmarshal(bdevs, &out)
	})
	run("bdevs/plain", len(bdevs), func() error {
		var out []Bdev
		if !plainResult(bdevs, &out) {
			return errNotReply
		}
		return nil
	})
	run("bdevs/json-v2", len(bdevs), func() error {
		var out []Bdev
		return json.Unmarshal(bdevs, &out, decoding)
	})
	run("listeners/encoding-json", len(listeners), func() error {
		var out []Listener
		return stdjson.Unmarshal(listeners, &out)
	})
	run("listeners/plain", len(listeners), func() error {
		var out []Listener
		if !plainResult(listeners, &out) {
			return errNotReply
		}
		return nil
	})
	run("listeners/json-v2", len(listeners), func() error {
		var out []Listener
		return json.Unmarshal(listeners, &out, decoding)
	})
}

// BenchmarkRefresh reads what a refresh reads from 100 nodes: 600 bdevs and the
// listeners of 100 subsystems each. The targets run in a process of their own,
// so that cpu-ms/op is what the client costs.
func BenchmarkRefresh(b *testing.B) {
	const nodes, subsystems = 100, 100
	dir := b.TempDir()
	targets := exec.Command(os.Args[0], "-test.run=^TestServeRefresh$")
	targets.Env = append(os.Environ(), serveRefreshIn+"="+dir)
	out, err := targets.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	stop, err := targets.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := targets.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		stop.Close()
		targets.Wait()
	}()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}

	var clients []*Client
	for i := range nodes {
		clients = append(clients, client(b, "unix://"+filepath.Join(dir, strconv.Itoa(i%servedSockets)), Options{}))
	}
	b.SetBytes(nodes * int64(len(manyBdevs(b, 600))+subsystems*len(someListeners(b))))
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() {
				var bdevs []Bdev
				reqs := []*Req{GetBdevs(&bdevs)}
				for i := range subsystems {
					reqs = append(reqs, GetListeners("nqn.2026-01.io.x:"+strconv.Itoa(i), new([]Listener)))
				}
				if err := c.Round(context.Background(), reqs...); err != nil || len(bdevs) != 600 {
					b.Error(err, len(bdevs))
				}
			})
		}
		wg.Wait()
	}
	b.ReportMetric(float64((cpuTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}

const (
	serveRefreshIn = "STRATA_TEST_SERVE_REFRESH"
	servedSockets  = 10
)

// TestServeRefresh is the targets of BenchmarkRefresh.
func TestServeRefresh(t *testing.T) {
	dir := os.Getenv(serveRefreshIn)
	if dir == "" {
		t.Skip("only as a process of BenchmarkRefresh")
	}
	bdevs, listeners := manyBdevs(t, 600), someListeners(t)
	for i := range servedSockets {
		serveAt(t, filepath.Join(dir, strconv.Itoa(i)), func(nc net.Conn) {
			var out []byte
			answerAll(nc, func(id, method string) []byte {
				if method == "bdev_get_bdevs" {
					out = appendReply(out[:0], id, bdevs)
				} else {
					out = appendReply(out[:0], id, listeners)
				}
				return out
			})
		})
	}
	os.Stdout.WriteString(".")
	io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}

// cpuTime is what this process has used.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBurst makes 1,000 small calls at once.
func BenchmarkBurst(b *testing.B) {
	c := client(b, serve(b, echo), Options{})
	out := make([][]int, 1000)
	b.ReportAllocs()
	for b.Loop() {
		reqs := make([]*Req, len(out))
		for i := range reqs {
			reqs[i] = &Req{Method: "echo", Params: []int{i}, Result: &out[i]}
		}
		if err := c.Round(context.Background(), reqs...); err != nil {
			b.Fatal(err)
		}
	}
}
