// Package page shows what a watch knows to people, in a browser: one page that is
// readable as it is and follows what happens where scripts run. It only reads.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"sync/atomic"
	"time"

	"strata/view"
)

//go:embed static page.html
var files embed.FS

// Page serves the page, what it is made of, and what changes.
type Page struct {
	board   *view.Board
	version string
	visible func(*Data) *Data
	parts   *template.Template
	assets  map[string]asset
	open    atomic.Int64 // who follows
}

type asset struct {
	body []byte
	tag  string
	kind string
}

const (
	// followMost is how many may follow at a time.
	followMost = 64
	// tellEvery is how often who follows is told of changes at most, and breathe after
	// how long of something, so that who is gone is found out.
	tellEvery = 500 * time.Millisecond
	breathe   = 15 * time.Second
)

// New makes the page of a board. visible gives a copy of data in which nothing that
// targets and files bring is hidden or breaks lines; version is strata's own.
func New(b *view.Board, version string, visible func(*Data) *Data) *Page {
	p := &Page{board: b, version: version, visible: visible, assets: map[string]asset{}}
	p.parts = template.Must(template.New("page.html").Funcs(words).ParseFS(files, "page.html"))
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		panic(err) // it is part of the program
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, e := range entries {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		p.assets["/"+e.Name()] = asset{body, `"` + hex.EncodeToString(sum[:8]) + `"`, kinds[path.Ext(e.Name())]}
	}
	return p
}

// ServeHTTP is part of http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "this only shows", http.StatusMethodNotAllowed)
		return
	}
	switch a, is := p.assets[r.URL.Path]; {
	case is:
		h.Set("Content-Type", a.kind)
		h.Set("ETag", a.tag)
		h.Set("Cache-Control", "no-cache") // asks whether it is still that
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	case r.URL.Path == "/":
		p.page(w, r)
	case r.URL.Path == "/follow":
		p.follow(w, r)
	default:
		http.NotFound(w, r)
	}
}

// data is what is shown now to who asks for some of the volumes.
func (p *Page) data(r *http.Request) *Data {
	d := dataOf(p.board.Now(), p.version, r.URL.Query()["volume"])
	return p.visible(d)
}

func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	d := p.data(r)
	var out bytes.Buffer
	if err := p.parts.ExecuteTemplate(&out, "page", d); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(out.Bytes())
}

// change is what is another than before: the parts that are there, in order, and the
// text of those that are new.
type change struct {
	Version string              `json:"version"` // strata's own
	Title   string              `json:"title"`
	Lists   map[string][]string `json:"lists"` // of parts, by the list that has them
	Parts   map[string]string   `json:"parts"`
}

// follow tells of changes as server-sent events, until who follows is gone.
func (p *Page) follow(w http.ResponseWriter, r *http.Request) {
	if p.open.Add(1) > followMost {
		p.open.Add(-1)
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many follow already", http.StatusServiceUnavailable)
		return
	}
	defer p.open.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	to := http.NewResponseController(w)
	_ = to.SetReadDeadline(time.Time{}) // nothing more is read, and who follows stays
	send := func(text string) error {
		_ = to.SetWriteDeadline(time.Now().Add(breathe))
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return to.Flush()
	}
	told := map[string]string{}
	for {
		changed := p.board.Changed() // before looking: what comes in between is not missed
		c, err := p.changes(p.data(r), told)
		if err != nil {
			panic(err) // the templates are part of the program; the server logs it
		}
		text := ": \n\n"
		if c != nil {
			body, err := json.Marshal(c)
			if err != nil {
				panic(err)
			}
			text = "data: " + string(body) + "\n\n"
		}
		if send(text) != nil {
			return
		}
		if !wait(r, changed) {
			return
		}
	}
}

// wait returns when there may be something to tell; false when nobody listens.
func wait(r *http.Request, changed <-chan struct{}) bool {
	least := time.After(tellEvery)
	select {
	case <-r.Context().Done():
		return false
	case <-changed:
	case <-time.After(breathe):
	}
	select {
	case <-r.Context().Done():
		return false
	case <-least:
		return true
	}
}

// changes are what was not told yet; nil for nothing. told has the parts as they were.
func (p *Page) changes(d *Data, told map[string]string) (*change, error) {
	c := &change{Version: d.Version, Title: d.Title(), Lists: map[string][]string{}, Parts: map[string]string{}}
	seen := map[string]bool{}
	listed := ""
	for _, part := range d.parts() {
		var out bytes.Buffer
		if err := p.parts.ExecuteTemplate(&out, part.template, part.data); err != nil {
			return nil, err
		}
		if text := out.String(); told[part.id] != text {
			told[part.id], c.Parts[part.id] = text, text
		}
		seen[part.id] = true
		if part.list != "" {
			c.Lists[part.list] = append(c.Lists[part.list], part.id)
		}
	}
	for _, list := range lists {
		if c.Lists[list] == nil {
			c.Lists[list] = []string{}
		}
		listed += fmt.Sprint(list, c.Lists[list])
	}
	for id := range told {
		if !seen[id] && id != "" {
			delete(told, id)
		}
	}
	if len(c.Parts) == 0 && told[""] == listed {
		return nil, nil
	}
	told[""] = listed
	return c, nil
}
