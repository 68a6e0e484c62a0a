package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestReplay does to the simulator what was done to real targets and compares
// every answer, apart from what is random or a matter of timing.
func TestReplay(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/transcripts/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		profile := Stock
		if strings.HasSuffix(name, Longhorn.Name) {
			profile = Longhorn
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { replay(t, path, profile) })
		})
	}
}

type exchange struct {
	Note     string     `json:"note"`
	Node     string     `json:"node"`
	Call     int        `json:"call"` // of a request or response that stands alone
	Request  *asked     `json:"request"`
	Response *recorded  `json:"response"`
	Round    []exchange `json:"round"` // calls sent together
}

type asked struct {
	Method string `json:"method"`
	Params any    `json:"params"`
}

type recorded struct {
	Result any    `json:"result"`
	Error  *Error `json:"error"`
}

// replayer keeps which random value of the transcript became which one here.
type replayer struct {
	t      *testing.T
	opts   Options
	what   string // the case, of a transcript of contract cases
	c      *Cluster
	nodes  map[string]*client
	calls  map[int]*pending // calls that others come between
	ours   map[string]string
	copies map[float64]float64 // by operation_id
	line   int
}

// pending is a call under way.
type pending struct {
	exchange
	result json.RawMessage
	err    *Error
	done   chan struct{}
}

func replay(t *testing.T, path string, profile Profile) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := &replayer{t: t, opts: Options{Profile: profile, Tick: 4 * time.Millisecond, Disks: map[string]int64{
		"disks/n1.img": 1 << 30, "disks/n2.img": 1 << 30, "disks/n3.img": 1 << 30, "disks/n1.img.copy": 1 << 30, "disks/n2.img.copy": 1 << 30}}}
	r.begin()
	defer func() { r.end() }()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		r.line++
		var x exchange
		if err := json.Unmarshal(sc.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		r.around(&x)
		switch {
		case x.Node == "":
		case x.Round != nil:
			r.round(&x)
		case x.Response == nil:
			r.begins(&x)
		case x.Request == nil:
			r.ends(&x)
		default:
			r.exchange(&x)
		}
	}
}

// begin starts with an empty cluster.
func (r *replayer) begin() {
	r.c, r.nodes, r.ours, r.copies = New(r.opts), map[string]*client{}, map[string]string{}, map[float64]float64{}
	r.calls = map[int]*pending{}
}

func (r *replayer) end() {
	for _, k := range r.nodes {
		k.c.Close()
	}
	if err := r.c.Close(); err != nil {
		r.t.Error(err)
	}
}

// around does what the transcript's author did besides calling.
func (r *replayer) around(x *exchange) {
	raw, _ := json.Marshal(x)
	switch {
	case strings.Contains(string(raw), "reconnect_is_delayed") && slices.Contains([]string{"TestReplay/stock-v26.05", "TestReplay/longhorn-v24.09"}, r.t.Name()) && r.c.Target("n2").Running():
		r.c.Target("n2").Stop()
	case strings.HasPrefix(x.Note, "fresh "):
		r.end()
		r.begin()
		r.what = x.Note[len("fresh 1: "):] + ": "
		for i := range x.Note[6] - '0' {
			r.node("n"+string('1'+i)).must("nvmf_create_transport", M{"trtype": "TCP"})
		}
	case strings.HasPrefix(x.Note, "vanish "):
		r.partition(x.Note[7:], (*Cluster).Partition)
	case strings.HasPrefix(x.Note, "return "):
		r.partition(x.Note[7:], (*Cluster).Heal)
	case strings.HasPrefix(x.Note, "freeze "):
		r.c.Target(x.Note[7:]).Freeze()
	case strings.HasPrefix(x.Note, "thaw "):
		r.c.Target(x.Note[5:]).Thaw()
	case strings.HasPrefix(x.Note, "kill "):
		r.c.Target(x.Note[5:]).Stop()
	case strings.HasPrefix(x.Note, "copy "):
		from, to, _ := strings.Cut(x.Note[5:], " ")
		if err := r.c.CopyDisk(from, "disks/"+from+".img", to, "disks/"+to+".img.copy"); err != nil {
			r.t.Fatal(err)
		}
	case strings.HasPrefix(x.Note, "crash "):
		time.Sleep(time.Second)
		if r.c.Target(x.Note[6:]).Running() {
			r.t.Errorf("line %d: %s%s has not ended by itself", r.line, r.what, x.Note[6:])
		}
	case strings.HasPrefix(x.Note, "remote target back"):
		r.restart("n2")
	case strings.HasPrefix(x.Note, "start "):
		r.restart(x.Note[6:])
	}
	if x.Node != "" {
		r.node(x.Node)
	}
}

// node is a connection to a target, which is started if need be.
func (r *replayer) node(name string) *client {
	if r.nodes[name] == nil {
		tg, err := r.c.Start(name, "")
		if err != nil {
			r.t.Fatal(err)
		}
		r.nodes[name] = dial(r.t, tg)
	}
	return r.nodes[name]
}

// partition does something to what is between a node and every other.
func (r *replayer) partition(node string, do func(c *Cluster, a, b string)) {
	for other := range r.nodes {
		if other != node {
			do(r.c, node, other)
		}
	}
}

func (r *replayer) restart(node string) {
	if err := r.c.Target(node).Restart(); err != nil {
		r.t.Fatal(err)
	}
	r.nodes[node] = dial(r.t, r.c.Target(node))
}

func (r *replayer) exchange(x *exchange) {
	params := r.translate(x.Request.Params)
	limit := time.Now().Add(40 * time.Second)
	k := r.nodes[x.Node]
	for {
		k.c.SetReadDeadline(time.Now().Add(time.Minute)) // for what is never answered
		result, e := k.call(x.Request.Method, params)
		diff := r.compare(x, result, e)
		if diff == "" {
			break
		}
		again := !methods[x.Request.Method].writes || e != nil && e.Code == -int(ebusy)
		if !again || time.Now().After(limit) || strings.HasPrefix(x.Request.Method, "bdev_lvol_check") && e != nil {
			r.t.Errorf("line %d: %s%s %s: %s", r.line, r.what, x.Node, x.Request.Method, diff)
			break
		}
		time.Sleep(7 * time.Millisecond)
	}
	if x.Request.Method == "nvmf_subsystem_add_listener" && strings.Contains(r.t.Name(), "join") {
		r.load()
	}
	if x.Request.Method == "bdev_lvol_check_shallow_copy" && strings.Contains(fmt.Sprint(x.Response.Result), "in progress") {
		time.Sleep(25 * time.Millisecond) // on the real target it had been for a while
	}
}

// round makes calls together.
func (r *replayer) round(x *exchange) {
	k := r.nodes[x.Node]
	k.c.SetReadDeadline(time.Now().Add(time.Minute))
	var calls []call
	for _, y := range x.Round {
		calls = append(calls, call{y.Request.Method, r.translate(y.Request.Params)})
	}
	answers, err := k.round(calls...)
	if err != nil {
		r.t.Fatalf("line %d: %s%v", r.line, r.what, err)
	}
	for i, y := range x.Round {
		if diff := r.compare(&y, answers[i].Result, answers[i].Error); diff != "" {
			r.t.Errorf("line %d: %s%s %s: %s", r.line, r.what, x.Node, y.Request.Method, diff)
		}
	}
}

// begins starts a call that others come after before it is answered, if ever.
func (r *replayer) begins(x *exchange) {
	r.calls[x.Call] = r.start(x)
	time.Sleep(500 * time.Millisecond)
}

// start makes a call on a connection of its own.
func (r *replayer) start(x *exchange) *pending {
	p := &pending{exchange: *x, done: make(chan struct{})}
	k := dial(r.t, r.c.Target(x.Node))
	params := r.translate(x.Request.Params)
	go func() {
		defer close(p.done)
		p.result, p.err, _ = k.try(x.Request.Method, params)
	}()
	return p
}

// ends waits for the answer of such a call.
func (r *replayer) ends(x *exchange) {
	p := r.calls[x.Call]
	p.Response = x.Response
	select {
	case <-p.done:
		if diff := r.compare(&p.exchange, p.result, p.err); diff != "" {
			r.t.Errorf("line %d: %s%s %s: %s", r.line, r.what, x.Node, p.Request.Method, diff)
		}
	case <-time.After(40 * time.Second):
		r.t.Errorf("line %d: %s%s %s is not answered", r.line, r.what, x.Node, p.Request.Method)
	}
}

// load writes what the transcript's host wrote: five clusters.
func (r *replayer) load() {
	conn, err := r.c.Host("nqn.2026-01.io.x:host").Connect("127.0.0.1", "4420", "nqn.2026-01.io.x:db")
	if err != nil {
		return
	}
	defer conn.Close()
	n, err := conn.Namespace(1)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range int64(5) {
		if err := n.WriteAt(r.t.Context(), filled(4096, byte(i+1)), i<<20); err != nil {
			r.t.Fatal(err)
		}
	}
}

var uuidForm = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// translate replaces the transcript's UUIDs by ours.
func (r *replayer) translate(v any) any {
	switch v := v.(type) {
	case string:
		return uuidForm.ReplaceAllStringFunc(v, func(s string) string {
			if o, ok := r.ours[s]; ok {
				return o
			}
			return s
		})
	case map[string]any:
		o := map[string]any{}
		for k, x := range v {
			o[k] = r.translate(x)
			if id, ok := x.(float64); ok && k == "operation_id" && r.copies[id] != 0 {
				o[k] = r.copies[id]
			}
		}
		return o
	case []any:
		o := make([]any, len(v))
		for i, x := range v {
			o[i] = r.translate(x)
		}
		return o
	}
	return v
}

// compare says how an answer differs from the transcript's. If it does not,
// its UUIDs are those of the transcript from here on.
func (r *replayer) compare(x *exchange, result json.RawMessage, e *Error) string {
	before := maps.Clone(r.ours)
	diff := r.difference(x, result, e)
	if diff != "" {
		r.ours = before
	}
	return diff
}

func (r *replayer) difference(x *exchange, result json.RawMessage, e *Error) string {
	if e != nil || x.Response.Error != nil {
		if w := x.Response.Error; w != nil {
			w.Message = r.translate(w.Message).(string)
		}
		if !reflect.DeepEqual(e, x.Response.Error) {
			return fmt.Sprintf("error %v, want %v; result %s", e, x.Response.Error, result)
		}
		return ""
	}
	var got any
	if err := json.Unmarshal(result, &got); err != nil {
		return err.Error()
	}
	want := x.Response.Result
	if x.Request.Method == "rpc_get_methods" {
		for _, m := range got.([]any) {
			if m != "bdev_uring_create" && m != "bdev_uring_delete" && !strings.HasPrefix(m.(string), "ublk_") && !strings.HasPrefix(m.(string), "bdev_crypto_") &&
				!slices.Contains(want.([]any), m) {
				return fmt.Sprintf("%v is no method of a real target", m)
			}
		}
		return ""
	}
	if x.Request.Method == "bdev_get_bdevs" || x.Request.Method == "bdev_lvol_get_lvols" {
		// Their order after a restart is SPDK's own.
		sortByName(got)
		sortByName(want)
	}
	return r.same("", want, got)
}

func sortByName(v any) {
	key := func(x any) string {
		m := x.(map[string]any)
		if a, ok := m["alias"]; ok {
			return a.(string)
		}
		if m["product_name"] == "Logical Volume" {
			return m["aliases"].([]any)[0].(string)
		}
		return m["name"].(string)
	}
	slices.SortFunc(v.([]any), func(a, b any) int { return strings.Compare(key(a), key(b)) })
}

// trying are the states of a controller that has lost its peer: it is in the one
// as long as an attempt to reconnect takes, and in the other between attempts.
var trying = map[any]bool{"resetting": true, "reconnect_is_delayed": true}

// same compares want to got and says where they differ.
func (r *replayer) same(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: got %v", at, got)
		}
		for k := range w {
			if _, ok := g[k]; !ok {
				return fmt.Sprintf("%s: no %s", at, k)
			}
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				return fmt.Sprintf("%s: %s should not be there", at, k)
			}
			if k == "cntlid" || k == "progress" || k == "peer_address" || k == "creation_time" && (w[k] == "") == (g[k] == "") {
				continue
			}
			if k == "state" && trying[w[k]] && trying[g[k]] {
				continue
			}
			if k == "operation_id" {
				r.copies[w[k].(float64)] = g[k].(float64)
				continue
			}
			if d := r.same(at+"."+k, w[k], g[k]); d != "" {
				return d
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: got %v, want %v", at, got, want)
		}
		for i := range w {
			if d := r.same(fmt.Sprintf("%s[%d]", at, i), w[i], g[i]); d != "" {
				return d
			}
		}
		return ""
	case string:
		g, ok := got.(string)
		if !ok {
			return fmt.Sprintf("%s: got %v, want %v", at, got, want)
		}
		wu, gu := uuidForm.FindString(w), uuidForm.FindString(g)
		if wu != "" && gu != "" && r.ours[wu] == "" {
			r.ours[wu] = gu
			upper := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }
			r.ours[upper(wu)] = upper(gu)
		}
		if o := r.ours[w]; o != "" && o == g {
			return ""
		}
		if r.translate(w) == g {
			return ""
		}
	default:
		if reflect.DeepEqual(want, got) {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %v, want %v", at, got, want)
}
