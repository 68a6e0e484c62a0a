package contract

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
)

// Recorder writes a transcript, one JSON object a line: a note, or a node, a
// request and its response. A call that others come between takes two lines,
// its request and its response, of the same "call"; those sent together are a
// "round". A note "fresh N: …" says that N targets n1, n2, …
// are new from here on, with a TCP transport and empty disks; "kill", "start",
// "crash", "freeze", "thaw", "vanish" (from the network) and "return" with a node say what happened to its process, "copy" with
// two nodes that a copy of the one's disk is beside the other's. The nil
// Recorder records nothing.
type Recorder struct {
	mu    sync.Mutex
	w     io.Writer
	names *strings.Replacer
	calls int // numbers given
	held  bool
	lines [][]byte // while held
	err   error
}

// NewRecorder writes to w. What is the machine's own is replaced: names are
// pairs of old and new text, as for [strings.NewReplacer].
func NewRecorder(w io.Writer, names ...string) *Recorder {
	return &Recorder{w: w, names: strings.NewReplacer(names...)}
}

// Err is the first error of writing.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Note writes a note.
func (r *Recorder) Note(note string) {
	if r != nil {
		r.line(struct {
			Note string `json:"note"`
		}{note})
	}
}

// Fresh notes that n targets begin anew.
func (r *Recorder) Fresh(what string, n int) { r.Note("fresh " + string(rune('0'+n)) + ": " + what) }

// exchanged writes a call and its answer; begun and ended write one that others
// come between, as two lines of the same number. A call that is never answered
// is begun only.
func (r *Recorder) exchanged(node, method string, params any, a answer) {
	if r != nil {
		resp := a.record()
		r.line(entry{Node: node, Request: &request{method, params}, Response: &resp})
	}
}

// together writes a round.
func (r *Recorder) together(node string, calls []call, answers []answer) {
	if r == nil {
		return
	}
	round := make([]entry, len(calls))
	for i, c := range calls {
		resp := answers[i].record()
		round[i] = entry{Request: &request{c.method, c.params}, Response: &resp}
	}
	r.line(entry{Node: node, Round: round})
}

func (r *Recorder) begun(node, method string, params any) (number int) {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	r.calls++
	number = r.calls
	r.mu.Unlock()
	r.line(entry{Node: node, Number: number, Request: &request{method, params}})
	return number
}

func (r *Recorder) ended(node string, number int, a answer) {
	if r != nil {
		resp := a.record()
		r.line(entry{Node: node, Number: number, Response: &resp})
	}
}

type entry struct {
	Node     string    `json:"node,omitempty"`
	Number   int       `json:"call,omitempty"`
	Request  *request  `json:"request,omitempty"`
	Response *response `json:"response,omitempty"`
	Round    []entry   `json:"round,omitempty"`
}

type request struct {
	Method string `json:"method"`
	Params any    `json:"params,omitempty"`
}

type response struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *refused        `json:"error,omitempty"`
}

type refused struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (a answer) record() response {
	if a.code != 0 {
		return response{Error: &refused{a.code, a.message}}
	}
	return response{Result: a.result}
}

func (r *Recorder) line(v any) {
	b, err := json.Marshal(v)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err = errors.Join(r.err, err); err != nil {
		return
	}
	b = append([]byte(r.names.Replace(string(b))), '\n')
	if r.held {
		r.lines = append(r.lines, b)
		return
	}
	r.write(b)
}

func (r *Recorder) write(b []byte) {
	if _, err := r.w.Write(b); err != nil {
		r.err = errors.Join(r.err, err)
	}
}

// hold keeps lines back until release writes them or drop forgets them.
func (r *Recorder) hold() { r.holding(true, false) }

func (r *Recorder) drop() { r.holding(true, true) }

func (r *Recorder) release() { r.holding(false, false) }

func (r *Recorder) holding(on, forget bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = on
	if forget {
		r.lines = nil
	}
	if !on {
		for _, b := range r.lines {
			r.write(b)
		}
		r.lines = nil
	}
}
