package spdk

import (
	"bytes"
	"errors"
	"strconv"
)

// frame finds the end of one JSON object in a stream that has no framing. It
// reads each byte once, also when the object arrives in pieces. It counts
// brackets outside of strings and does not check anything else: whoever
// decodes the object does.
type frame struct {
	pos    int  // bytes of the object seen
	depth  int  // open brackets
	str    bool // inside a string
	member [maxMembers]int
	n      int // commas seen between the object's own members, at member[:n]
}

// maxMembers is more than any JSON-RPC object has.
const maxMembers = 8

var errNotObject = errors.New("reply is not a JSON object")

// byteClass tells the bytes apart that scan must look at.
var byteClass = func() (t [256]uint8) {
	t['"'], t['{'], t['['], t['}'], t[']'], t[','] = isQuote, isOpen, isOpen, isClose, isClose, isComma
	return t
}()

const (
	isQuote = iota + 1
	isOpen
	isClose
	isComma
)

// scan looks at the bytes of b after those it has seen. b starts with the
// object and only ever grows. It returns the object's length, or 0 if b ends
// before it does.
func (f *frame) scan(b []byte) (int, error) {
	i, depth, str := f.pos, f.depth, f.str
	if i == 0 && len(b) > 0 && b[0] != '{' {
		return 0, errNotObject
	}
	for i < len(b) {
		if str {
			q := bytes.IndexByte(b[i:], '"')
			if q < 0 {
				i = len(b)
				break
			}
			i += q + 1
			str = b[i-2] == '\\' && escaped(b, i-1)
			continue
		}
		switch c := byteClass[b[i]]; {
		case c == 0:
		case c == isQuote:
			str = true
		case c == isOpen:
			depth++
		case c == isClose:
			depth--
			if depth == 0 {
				f.pos, f.depth, f.str = i+1, 0, false
				return i + 1, nil
			}
		case depth == 1 && f.n < maxMembers:
			f.member[f.n] = i
			f.n++
		}
		i++
	}
	f.pos, f.depth, f.str = i, depth, str
	return 0, nil
}

// escaped reports whether the quote at b[i] is part of its string.
func escaped(b []byte, i int) bool {
	n := 0
	for i--; i >= 0 && b[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// envelope is a JSON-RPC object's members, undecoded.
type envelope struct {
	id     int64 // 0 if it has none that this client could have given
	result []byte
	err    []byte // nil also for null
}

var errNotReply = errors.New("reply is not a JSON-RPC object")

// open finds the members of the object that f has framed.
func (f *frame) open(b []byte) (envelope, error) {
	var e envelope
	if f.n == maxMembers || len(b) < 2 {
		return e, errNotReply
	}
	for i, from := 0, 1; i <= f.n; i++ {
		to := len(b) - 1
		if i < f.n {
			to = f.member[i]
		}
		key, value, ok := cutMember(b[from:to])
		if !ok {
			return e, errNotReply
		}
		switch string(key) {
		case "id":
			e.id, _ = strconv.ParseInt(string(value), 10, 64)
		case "result":
			e.result = value
		case "error":
			if string(value) != "null" {
				e.err = value
			}
		}
		from = to + 1
	}
	return e, nil
}

// cutMember splits `"key": value`.
func cutMember(b []byte) (key, value []byte, ok bool) {
	b = bytes.TrimLeft(b, space)
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 {
		return nil, nil, false
	}
	key, b = b[1:1+end], bytes.TrimLeft(b[end+2:], space)
	if len(b) == 0 || b[0] != ':' {
		return nil, nil, false
	}
	value = bytes.Trim(b[1:], space)
	return key, value, len(value) > 0
}

// space is JSON's white space.
const space = " \t\r\n"
