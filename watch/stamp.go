package watch

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strata/schema"
)

// stamp tells whether files are as they were, without reading them.
type stamp map[string]mark

// mark is what is seen of a file, or of the names in a directory.
type mark struct {
	size  int64
	at    time.Time
	inode os.FileInfo
	names string
	// moved is when anything last came to a pattern's directories or went, by which it is
	// known that names may have been others when they were read.
	moved time.Time
}

func stampOf(src *schema.Sources) stamp {
	s := stamp{}
	for _, f := range src.Files {
		s.file(f)
	}
	for _, d := range src.Dirs {
		s.file(d)
		entries, err := os.ReadDir(d)
		if err != nil {
			continue
		}
		var names []string
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".cue") {
				names = append(names, e.Name())
				s.file(filepath.Join(d, e.Name()))
			}
		}
		m := s[d]
		m.size, m.at, m.names = 0, time.Time{}, strings.Join(names, "/") // other files come and go
		s[d] = m
	}
	for _, g := range src.Globs {
		m := mark{names: strings.Join(g.Files(), "\x00")}
		for _, f := range g.Files() {
			s.file(f)
		}
		for _, d := range g.Dirs() {
			if info, err := os.Stat(d); err == nil && info.ModTime().After(m.moved) {
				m.moved = info.ModTime()
			}
		}
		s[g.Dir+"\x00"+g.Pattern] = m
	}
	return s
}

func (s stamp) file(path string) {
	info, err := os.Stat(path)
	if err != nil {
		s[path] = mark{}
		return
	}
	s[path] = mark{size: info.Size(), at: info.ModTime(), inode: info}
}

func (s stamp) equal(t stamp) bool {
	return maps.EqualFunc(s, t, func(a, b mark) bool {
		return a.size == b.size && a.at.Equal(b.at) && a.names == b.names &&
			(a.inode == nil) == (b.inode == nil) && (a.inode == nil || os.SameFile(a.inode, b.inode))
	})
}

// coarse is by how much the clock of a file system may be behind.
const coarse = 20 * time.Millisecond

// since has what differs from an earlier stamp as it was then, and what was written
// after a time as unknown: it may have been read in between.
func (s stamp) since(before stamp, read time.Time) stamp {
	s = maps.Clone(s)
	for path, m := range s {
		if was, known := before[path]; known {
			s[path] = was
		} else if late := read.Add(-coarse); m.at.After(late) || m.moved.After(late) {
			s[path] = mark{size: -1}
		}
	}
	return s
}
