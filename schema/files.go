package schema

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
)

// files are the files that make up a configuration.
type files struct {
	cue, data []string          // as they are shown; data are JSON and YAML
	shown     map[string]string // absolute path → as the user wrote it
	mu        sync.Mutex
	text      map[string][]byte      // what was read, by the name shown
	refused   Problems               // what is parsed and not done
	unread    Problems               // files that cannot be embedded, in what of their CUE file is used or not
	tags      []string               // keys of @tag attributes
	beside    map[string]load.Source // what files are taken to have, by absolute path
	served    bool                   // the schema is imported
	silent    bool                   // the schema that is imported says nothing
	embedded  embedded
	sources   Sources
}

// gather lists the files that paths name; a directory stands for its CUE files.
func gather(paths []string) (*files, Problems) {
	f := &files{shown: map[string]string{}, text: map[string][]byte{}, embedded: embedded{}}
	var problems Problems
	for _, path := range paths {
		if p := f.addPath(filepath.Clean(path)); p != nil {
			problems = append(problems, p)
		}
	}
	if len(paths) == 0 {
		problems = append(problems, &Problem{Text: "no configuration named", Hint: "name a directory or files"})
	}
	return f, problems
}

func (f *files) addPath(path string) *Problem {
	info, err := os.Stat(path)
	if err != nil {
		f.sources.file(path)
		return unreadableFile(path)
	}
	if !info.IsDir() {
		return f.addFile(path)
	}
	f.sources.dir(path)
	entries, err := os.ReadDir(path)
	if err != nil {
		return unreadable(path, err)
	}
	found := false
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if !inPackage(e.Name()) || isDir(name) {
			continue
		}
		found = true
		if p := f.addFile(name); p != nil {
			return p
		}
	}
	if !found {
		return &Problem{Path: path, Text: "has no CUE file", Hint: "name the directory of a configuration, or its files; JSON and YAML files are named one by one"}
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// inPackage reports whether the cue command, too, would take the file for part
// of its directory's package.
func inPackage(name string) bool {
	base, ok := strings.CutSuffix(name, ".cue")
	return ok && base != "" && base[0] != '.' && base[0] != '_' &&
		!strings.HasSuffix(base, "_test") && !strings.HasSuffix(base, "_tool")
}

func (f *files) addFile(path string) *Problem {
	f.sources.file(path)
	abs, err := filepath.Abs(path)
	if err != nil {
		return unreadable(path, err)
	}
	if _, again := f.shown[abs]; again {
		return nil
	}
	if p := unreadableFile(path); p != nil && extension(path) {
		return p
	}
	switch filepath.Ext(path) {
	case ".cue":
		f.cue = append(f.cue, abs)
	case ".json", ".yaml", ".yml":
		f.data = append(f.data, abs)
	default:
		return &Problem{Path: path, Text: "is no configuration", Hint: "files end in .cue, .json, .yaml or .yml"}
	}
	f.shown[abs] = path
	return nil
}

func extension(path string) bool {
	return slices.Contains([]string{".cue", ".json", ".yaml", ".yml"}, filepath.Ext(path))
}

// unreadableFile says why a file cannot be read to its end: it may be a link to nothing,
// a pipe that nobody writes to, or somebody else's. Nil when it can.
func unreadableFile(path string) *Problem {
	info, err := os.Stat(path)
	if target, lerr := os.Readlink(path); os.IsNotExist(err) && lerr == nil {
		return &Problem{Path: path, Text: "is a link to " + target + ", which is not there"}
	}
	if err != nil {
		return unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return &Problem{Path: path, Text: "is " + kindOf(info.Mode()), Hint: "a configuration is read from regular files"}
	}
	file, err := os.Open(path)
	if err != nil {
		return unreadable(path, err)
	}
	file.Close()
	return nil
}

func kindOf(mode os.FileMode) string {
	switch {
	case mode&os.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	case mode&os.ModeDevice != 0:
		return "a device"
	case mode.IsDir():
		return "a directory"
	}
	return "no regular file"
}

// parse is load's way to a file's syntax. Positions get the name shown.
func (f *files) parse(name string, src any, cfg parser.Config) (*ast.File, error) {
	shown, ok := f.shown[filepath.Clean(name)]
	if !ok {
		shown = relative(name)
	}
	if text, ok := src.([]byte); ok {
		f.mu.Lock()
		f.text[shown] = text
		f.mu.Unlock()
	}
	file, err := parser.ParseFile(shown, src, cfg)
	if file != nil {
		f.mu.Lock()
		f.sources.parsed(name, file)
		f.refused = append(f.refused, unasked(file)...)
		f.unread = append(f.unread, f.embeds(name, shown, file)...)
		f.mu.Unlock()
	}
	return file, err
}

// line returns line number n, from 1, of a file that was read.
func (f *files) line(name string, n int) string {
	lines := strings.SplitN(string(f.text[name]), "\n", n+1)
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// relative shows a file that the user did not name, such as an imported one.
func relative(abs string) string {
	wd, err := os.Getwd()
	if err != nil {
		return abs
	}
	rel, err := filepath.Rel(wd, abs)
	if err != nil || slices.Contains(strings.Split(rel, string(filepath.Separator)), "..") {
		return abs
	}
	return rel
}

func unreadable(path string, err error) *Problem {
	if os.IsNotExist(err) {
		return &Problem{Path: path, Text: "no such file or directory"}
	}
	if pe, ok := err.(*os.PathError); ok {
		err = pe.Err
	}
	return &Problem{Path: path, Text: err.Error()}
}
