package contract

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"strata/spdk"
)

// Recorder writes a transcript, one JSON object a line: a note, or a node, a
// request and its response. A note "fresh N: …" says that N targets n1, n2, …
// are new from here on, with a TCP transport and empty disks; "kill", "start",
// "freeze" and "thaw" with a node say what happened to its process. The nil
// Recorder records nothing.
type Recorder struct {
	mu    sync.Mutex
	w     io.Writer
	names *strings.Replacer
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

// Trace returns what [spdk.Options] wants, for the client of a node. Calls
// without an answer are left out.
func (r *Recorder) Trace(node string) func(string, json.RawMessage, json.RawMessage, error, time.Duration) {
	if r == nil {
		return nil
	}
	type request struct {
		Method string          `json:"method"`
		Params json.RawMessage `json:"params,omitempty"`
	}
	type refused struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	type response struct {
		Result json.RawMessage `json:"result,omitempty"`
		Error  *refused        `json:"error,omitempty"`
	}
	return func(method string, params, result json.RawMessage, err error, _ time.Duration) {
		resp := response{Result: result}
		var e *spdk.Error
		if errors.As(err, &e) {
			if e.Code == 0 {
				return
			}
			resp = response{Error: &refused{e.Code, e.Message}}
		}
		r.line(struct {
			Node     string   `json:"node"`
			Request  request  `json:"request"`
			Response response `json:"response"`
		}{node, request{method, params}, resp})
	}
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
