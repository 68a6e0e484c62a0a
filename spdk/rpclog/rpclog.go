// Package rpclog writes exchanges with targets to a file, for debugging: one a
// line, as JSON, with secrets removed. It sends nothing and reads nothing back.
package rpclog

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"strata/spdk"
)

// File takes note of exchanges. What it holds up are the answers. The nil File
// takes note of none.
type File struct {
	mu   sync.Mutex
	file *os.File
	err  error // the first that kept an exchange from being written
}

// Open opens a file of that name, which is made, for its owner alone, if it is
// not there. Exchanges are appended, each at once: several processes may write
// to the same file, and each may be killed.
func Open(name string) (*File, error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{file: f}, nil
}

// exchange is a line of the file.
type exchange struct {
	Time    time.Time       `json:"time"` // of sending
	Node    string          `json:"node"`
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

// Trace returns what [spdk.Options] has as Trace, for the client of a node.
func (f *File) Trace(node string) func(method string, params, result json.RawMessage, err error, took time.Duration) {
	if f == nil {
		return nil
	}
	return func(method string, params, result json.RawMessage, err error, took time.Duration) {
		f.write(exchange{
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

func (f *File) write(x exchange) {
	line, err := json.Marshal(x)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		_, err = f.file.Write(append(line, '\n'))
	}
	if f.err == nil {
		f.err = err
	}
}

// Close closes the file, and says if it lacks anything.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.file.Close(); f.err == nil {
		f.err = err
	}
	if f.err != nil {
		return fmt.Errorf("not every exchange is in %s: %w", f.file.Name(), f.err)
	}
	return nil
}
