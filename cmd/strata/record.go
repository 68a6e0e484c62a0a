package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// recorder writes every exchange with the targets to a file, one a line, with
// secrets removed. What it holds up are the answers, so it is for debugging.
type recorder struct {
	mu   sync.Mutex
	file *os.File
	err  error // the first that kept an exchange from being written
}

// record opens the file, or does nothing if there is none. Exchanges are
// appended, each at once: apply and its guard may write to the same file, and
// either may be killed.
func record(file string) (*recorder, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--debug-rpc: %w", err)
	}
	return &recorder{file: f}, nil
}

// exchange is a line of the file.
type exchange struct {
	Time    time.Time       `json:"time"` // of sending
	Node    lineage.Node    `json:"node"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
	Seconds float64         `json:"seconds"`
}

// failure is why a call has no result. Without an answer it has no code.
type failure struct {
	Class   string `json:"class"`
	Code    int    `json:"code,omitempty"`
	Message string `json:"message"`
}

// trace returns what takes note of a node's exchanges, or nil.
func (r *recorder) trace(node lineage.Node) func(string, json.RawMessage, json.RawMessage, error, time.Duration) {
	if r == nil {
		return nil
	}
	return func(method string, params, result json.RawMessage, err error, took time.Duration) {
		r.write(exchange{
			Time: time.Now().Add(-took).UTC(), Node: node, Method: method, Params: redacted(params), Result: redacted(result),
			Error: failureOf(err), Seconds: took.Seconds(),
		})
	}
}

func redacted(value json.RawMessage) json.RawMessage {
	if value == nil {
		return nil
	}
	return spdk.Redact(value)
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Class: spdk.ClassOf(err).String(), Message: err.Error()}
	var e *spdk.Error
	if errors.As(err, &e) && e.Err == nil {
		f.Code, f.Message = e.Code, e.Message
	}
	f.Message = spdk.RedactText(f.Message)
	return f
}

func (r *recorder) write(x exchange) {
	line, err := json.Marshal(x)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	if r.err == nil {
		r.err = err
	}
}

// close ends the file and says if it lacks anything.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.file.Close(); r.err == nil {
		r.err = err
	}
	if r.err != nil {
		return fmt.Errorf("--debug-rpc: not every exchange is in %s: %w", r.file.Name(), r.err)
	}
	return nil
}
