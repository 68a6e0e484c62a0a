// Package graph owns pictures: of a cluster and of a plan, as boxes and lines,
// and how they are written as DOT, Mermaid and SVG. It decides nothing, and the
// same input gives the same bytes.
package graph

// Graph is a picture.
type Graph struct {
	Title string `json:"title"`
	// Bands are drawn below one another.
	Bands []Band `json:"bands"`
	// Legend says what the tones of lines mean.
	Legend []Key `json:"legend,omitempty"`
	// Directed lines have a head.
	Directed bool `json:"directed"`
}

// Band is a part of the picture.
type Band struct {
	Title  string   `json:"title,omitempty"`
	Groups []*Group `json:"groups,omitempty"`
	// Boxes stand below one another so that few lines cross. Groups stay in the
	// order they have here.
	Boxes []*Box `json:"boxes"`
	Lines []Line `json:"lines,omitempty"`
}

// Group is a frame around boxes and other groups. All of its boxes have the
// same column.
type Group struct {
	ID    string `json:"id"`
	In    string `json:"in,omitempty"` // the group it is in; "" for none
	Title string `json:"title"`
	Tone  Tone   `json:"tone,omitempty"`
}

// Box is a rectangle with text.
type Box struct {
	ID     string   `json:"id"`
	In     string   `json:"in,omitempty"` // innermost group; "" for none
	Column int      `json:"column"`       // from the left, from 0
	Title  string   `json:"title"`
	Text   []string `json:"text,omitempty"` // lines
	Tone   Tone     `json:"tone,omitempty"`
	// Wide leaves room for lines that are long.
	Wide bool `json:"-"`
}

// Line joins a box to one of a later column.
type Line struct {
	From string `json:"from"`
	To   string `json:"to"`
	Tone Tone   `json:"tone,omitempty"`
	// Level lines are kept level rather than others.
	Level bool `json:"-"`
}

// Key explains a tone.
type Key struct {
	Tone Tone   `json:"tone"`
	Text string `json:"text"`
}

// Tone is the meaning that a colour has.
type Tone string

// The tones.
const (
	Plain Tone = ""
	Good  Tone = "good"
	Info  Tone = "info"
	Worry Tone = "worry"
	Bad   Tone = "bad"
)
