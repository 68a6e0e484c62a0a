package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/report"
	"strata/schema"
	"strata/view"
	"strata/watch"
)

func testPage() (*Page, *view.Board) {
	b := view.New(nil)
	return New(b, "v1.2.3", func(d *Data) *Data { return d }), b
}

func get(p *Page, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestServe(t *testing.T) {
	t.Parallel()
	p, b := testPage()
	b.Observe(watch.Broken{Err: errors.New(`lab.cue:3:1: <script>alert("x")</script>`)})
	w := get(p, "GET", "/")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "lab.cue:3:1: &lt;script&gt;") || strings.Contains(body, "<script>") {
		t.Errorf("%d\n%s", w.Code, body)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
		t.Error("policy:", policy)
	}
	if w := get(p, "HEAD", "/"); w.Code != 200 {
		t.Error("HEAD:", w.Code)
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if w := get(p, method, "/"); w.Code != http.StatusMethodNotAllowed {
			t.Error(method, w.Code)
		}
	}
	for path, kind := range map[string]string{"/strata.css": "text/css", "/strata.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		w := get(p, "GET", path)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || w.Body.Len() == 0 {
			t.Error(path, w.Code, w.Header())
		}
		if again := get(p, "GET", path, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Error(path, "again:", again.Code)
		}
	}
	for _, path := range []string{"/static/", "/page.html", "/../page.go", "/none"} {
		if w := get(p, "GET", path); w.Code != 404 {
			t.Error(path, w.Code)
		}
	}
}

// events are those that a follower was told of.
func events(t *testing.T, body string) (all []change) {
	t.Helper()
	for _, e := range strings.Split(body, "\n\n") {
		if text, is := strings.CutPrefix(e, "data: "); is {
			var c change
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
	}
	return all
}

// stream is what a follower was sent so far.
type stream struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *stream) Header() http.Header { return http.Header{} }
func (s *stream) WriteHeader(int)     {}
func (s *stream) Flush()              {}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, b := testPage()
		ctx, cancel := context.WithCancel(t.Context())
		w := &stream{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.ServeHTTP(w, httptest.NewRequest("GET", "/follow", nil).WithContext(ctx))
		}()
		synctest.Wait()
		first := events(t, w.String())
		if len(first) != 1 || len(first[0].Parts) != 5 || first[0].Version != "v1.2.3" {
			t.Fatal("at first:", w.String())
		}
		for i := range 100 {
			b.Observe(watch.Broken{Err: fmt.Errorf("edit %d", i)})
		}
		synctest.Wait()
		if len(events(t, w.String())) != 1 {
			t.Error("told more often than", tellEvery)
		}
		time.Sleep(tellEvery)
		synctest.Wait()
		all := events(t, w.String())
		if len(all) != 2 || len(all[1].Parts) != 1 || !strings.Contains(all[1].Parts["top"], "edit 99") {
			t.Error("after edits:", all[1:])
		}
		if all[1].Title != "strata" {
			t.Errorf("it is called %q before a configuration is read", all[1].Title)
		}
		b.Observe(watch.Loaded{Config: &schema.Config{Cluster: "lab"}})
		time.Sleep(tellEvery)
		synctest.Wait()
		if all := events(t, w.String()); len(all) != 3 || all[2].Title != "lab · strata" {
			t.Error("after a configuration was read:", w.String())
		}
		time.Sleep(breathe + tellEvery)
		synctest.Wait()
		if !strings.Contains(w.String(), "\n\n: \n\n") {
			t.Error("no breath:", w.String())
		}
		cancel()
		<-done

		p.open.Store(followMost)
		if w := get(p, "GET", "/follow"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Error("one too many:", w.Code)
		}
		if p.open.Load() != followMost {
			t.Error("who was refused is counted")
		}
	})
}

// TestChanges tells of what is another than before, and of nothing else.
func TestChanges(t *testing.T) {
	t.Parallel()
	p, _ := testPage()
	told := map[string]string{}
	now := func(volumes ...Volume) *change {
		t.Helper()
		c, err := p.changes(&Data{Nodes: []Node{{ID: "node-n1", Name: "n1"}}, Volumes: volumes}, told)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	volume := func(name string, h report.Health) Volume {
		return Volume{Volume: report.Volume{Name: name, Health: h}, Part: "volume-" + name}
	}
	a, b, worse := volume("a", report.Healthy), volume("b", report.Healthy), volume("b", report.Down)
	if c := now(a, b); len(c.Parts) != 8 || !slices.Equal(c.Lists["volumes"], []string{"volume-a", "volume-b"}) || !slices.Equal(c.Lists["nodes"], []string{"node-n1"}) {
		t.Errorf("at first: %+v", c)
	}
	if c := now(a, b); c != nil {
		t.Errorf("of nothing: %+v", c)
	}
	if c := now(worse, a); len(c.Parts) != 1 || !strings.Contains(c.Parts["volume-b"], "down") || !slices.Equal(c.Lists["volumes"], []string{"volume-b", "volume-a"}) {
		t.Errorf("of one: %+v", c)
	}
	if c := now(a, worse); len(c.Parts) != 0 || !slices.Equal(c.Lists["volumes"], []string{"volume-a", "volume-b"}) {
		t.Errorf("of the order: %+v", c)
	}
	if c := now(a); len(c.Parts) != 0 || !slices.Equal(c.Lists["volumes"], []string{"volume-a"}) {
		t.Errorf("of one that is gone: %+v", c)
	}
	if c := now(a, worse); len(c.Parts) != 1 || c.Parts["volume-b"] == "" {
		t.Errorf("of one that is back: %+v", c)
	}
	now()
	if c := now(); c != nil {
		t.Errorf("of none: %+v", c)
	}
}
