package spdk

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// lexer walks through JSON that is well formed and as plain as targets write
// it. Anything else sets bad, and the whole value is left to package json,
// which knows what to make of it.
//
// Members that nobody wants are skipped by counting brackets, unchecked; that
// is three times as fast as decoding them.
type lexer struct {
	b   []byte
	i   int
	bad bool
}

// peek returns the next byte that is not white space, 0 at the end.
func (l *lexer) peek() byte {
	for l.i < len(l.b) {
		if c := l.b[l.i]; c > ' ' || !isSpace(c) {
			return c
		}
		l.i++
	}
	return 0
}

// take consumes c if it comes next, and is bad otherwise.
func (l *lexer) take(c byte) {
	if l.peek() != c {
		l.bad = true
		return
	}
	l.i++
}

// more steps to the next element of the object or array that end closes;
// first tells whether it is the first one. It is false behind the last.
func (l *lexer) more(end byte, first bool) bool {
	if l.bad {
		return false
	}
	c := l.peek()
	switch {
	case first && c == end:
		l.i++
		return false
	case first:
		return true
	case c == ',':
		l.i++
		return true
	}
	l.take(end)
	return false
}

// each calls f for every element of an array. f must consume it.
func (l *lexer) each(f func()) {
	l.take('[')
	for first := true; l.more(']', first); first = false {
		f()
	}
}

// members calls f for every member of an object. f must consume its value.
func (l *lexer) members(f func(key []byte)) {
	l.take('{')
	for first := true; l.more('}', first); first = false {
		key := l.raw()
		l.take(':')
		f(key)
	}
}

// raw consumes a string without escapes.
func (l *lexer) raw() []byte {
	l.take('"')
	if l.bad {
		return nil
	}
	rest := l.b[l.i:]
	for i, c := range rest {
		if plainByte[c] {
			continue
		}
		if c == '"' {
			l.i += i + 1
			return rest[:i]
		}
		break
	}
	l.bad = true
	return nil
}

// plainByte tells the bytes that stand for themselves in a string.
var plainByte = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text consumes a string. If it equals one of those given, that is returned
// instead of a new one.
func (l *lexer) text(same ...string) string {
	b := l.raw()
	for _, s := range same {
		if string(b) == s {
			return s
		}
	}
	return string(b)
}

// texts consumes an array of strings.
func (l *lexer) texts() []string {
	all := []string{}
	l.each(func() { all = append(all, l.text()) })
	return all
}

// number consumes an unsigned integer.
func (l *lexer) number() (n uint64) {
	l.peek()
	start := l.i
	for ; l.i < len(l.b) && '0' <= l.b[l.i] && l.b[l.i] <= '9'; l.i++ {
		n = 10*n + uint64(l.b[l.i]-'0')
	}
	digits := l.i - start
	if digits == 0 || digits > 19 || digits > 1 && l.b[start] == '0' || !l.ended() {
		l.bad = true
	}
	return n
}

// number32 consumes an unsigned integer of 32 bits.
func (l *lexer) number32() uint32 {
	n := l.number()
	if n > math.MaxUint32 {
		l.bad = true
	}
	return uint32(n)
}

// number16 consumes an unsigned integer of 16 bits.
func (l *lexer) number16() uint16 {
	n := l.number()
	if n > math.MaxUint16 {
		l.bad = true
	}
	return uint16(n)
}

// truth consumes true or false.
func (l *lexer) truth() bool {
	l.peek()
	rest := l.b[l.i:]
	switch {
	case bytes.HasPrefix(rest, []byte("true")):
		l.i += len("true")
		return true
	case bytes.HasPrefix(rest, []byte("false")):
		l.i += len("false")
		return false
	}
	l.bad = true
	return false
}

// ended reports whether a number or name ends here.
func (l *lexer) ended() bool {
	switch l.peek() {
	case ',', '}', ']', 0:
		return true
	}
	return false
}

// skip consumes any value, without checking what is inside, and returns it.
func (l *lexer) skip() []byte {
	c := l.peek()
	start, rest := l.i, l.b[l.i:]
	switch c {
	case '{', '[':
		n := skipBrackets(rest)
		l.bad = l.bad || n == 0
		l.i += n
	case '"':
		n := skipString(rest)
		l.bad = l.bad || n == 0
		l.i += n
	default:
		for l.i < len(l.b) && !isSpace(l.b[l.i]) && byteClass[l.b[l.i]] == 0 {
			l.i++
		}
		end := l.i
		if end == start || !l.ended() {
			l.bad = true
		}
		return l.b[start:end]
	}
	return l.b[start:l.i]
}

// skipString returns the length of the string that b begins with, 0 if it
// does not end.
func skipString(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

// skipBrackets returns the length of the object or array that b begins with,
// 0 if it does not end.
func skipBrackets(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch byteClass[b[i]] {
		case isQuote:
			n := skipString(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case isOpen:
			depth++
		case isClose:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// done reports whether all has been consumed without surprise.
func (l *lexer) done() bool { return l.peek() == 0 && l.i == len(l.b) && !l.bad }
