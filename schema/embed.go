package schema

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/inject/embed"
)

// Glob stands for the files of a directory that a pattern matches, those to come included.
type Glob struct {
	Dir     string // absolute
	Pattern string // as of path.Match, below Dir
}

// Files are the paths that match now, sorted.
func (g Glob) Files() []string { return g.matches(g.Pattern) }

// Dirs are the directories in which something may come to match, as far as they are there.
func (g Glob) Dirs() []string {
	dirs := []string{g.Dir}
	for i, c := range g.Pattern {
		if c != '/' {
			continue
		}
		for _, m := range g.matches(g.Pattern[:i]) {
			if isDir(m) {
				dirs = append(dirs, m)
			}
		}
	}
	return dirs
}

func (g Glob) matches(pattern string) (paths []string) {
	matches, err := fs.Glob(os.DirFS(g.Dir), pattern)
	if err != nil {
		return nil // it is no pattern, which is said where it stands
	}
	for _, m := range matches {
		paths = append(paths, filepath.Join(g.Dir, filepath.FromSlash(m)))
	}
	return paths
}

// embedded are files that fields of CUE files are to have, by their absolute paths.
type embedded map[string]embedding

// embedding is what a file that is embedded goes by: written is relative to the CUE file, as
// CUE calls it where it speaks of what stands in there, and shown is as users are told of it.
type embedding struct{ written, shown string }

// embeds takes note of the files that those of a CUE file are to have (@embed), and says
// which of them cannot be read.
func (f *files) embeds(name, shown string, file *ast.File) (problems Problems) {
	if !filepath.IsAbs(name) {
		return nil
	}
	dir := filepath.Dir(name)
	all, _ := embed.EmbeddedPaths(filepath.Base(name), file) // what is wrong with the rest CUE says when it evaluates it
	for _, e := range all {
		paths := []string{lookup(e, "file")}
		if e.IsGlob() {
			f.sources.Globs = append(f.sources.Globs, Glob{Dir: dir, Pattern: lookup(e, "glob")})
			paths, _ = e.FindAll(os.DirFS(dir)) // if there must be some, CUE says so
		}
		for _, path := range paths {
			abs := filepath.Join(dir, filepath.FromSlash(path))
			if e.IsGlob() && isDir(abs) {
				continue
			}
			f.sources.file(abs)
			f.embedded[abs] = embedding{path, filepath.Join(filepath.Dir(shown), filepath.FromSlash(path))}
			p := unreadableFile(abs)
			if p == nil {
				p = outside(abs, dir)
			}
			if p != nil {
				problems = append(problems, &Problem{Pos: posOf(e.Attribute.Pos), Text: "@embed: " + f.embedded[abs].shown + ": " + p.Text, Hint: p.Hint})
			}
		}
	}
	return problems
}

// outside says that a file is, by links on the way to it, none of the module around a
// directory, or not below the directory where it is in none: a configuration that somebody
// proposes would show what else there is on the machine that plans it. Nil when it is.
func outside(path, dir string) *Problem {
	root := moduleRoot(dir)
	if root == "" {
		root = dir
	}
	at, err := filepath.EvalSymlinks(path)
	if err != nil {
		return unreadable(path, err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return unreadable(path, err)
	}
	if rel, err := filepath.Rel(root, at); err != nil || !filepath.IsLocal(rel) {
		return &Problem{Path: path, Text: "is a link to a file outside of the configuration's directory, or its module", Hint: "embed what is in there"}
	}
	return nil
}

func lookup(e *embed.Embed, argument string) string {
	value, _, _ := e.Attribute.Lookup(0, argument)
	return value
}

// names has what files that are embedded are shown as, by what CUE calls them. What CUE calls
// by one name may be any of several files, and is told so.
func (f *files) names() map[string]string {
	several := map[string][]string{}
	for _, shown := range f.shown {
		several[shown] = []string{shown}
	}
	for _, e := range f.embedded {
		several[e.written] = append(several[e.written], e.shown)
	}
	names := map[string]string{}
	for written, shown := range several {
		slices.Sort(shown)
		names[written] = strings.Join(slices.Compact(shown), " or ")
	}
	return names
}

// unreadOf are the files that cannot be embedded where an instance is to have them: CUE files
// may be left out of it (@if).
func (f *files) unreadOf(inst *build.Instance) (problems Problems) {
	used := map[string]bool{}
	for _, i := range append(inst.Dependencies(), inst) {
		for _, file := range i.Files {
			used[file.Filename] = true
		}
	}
	for _, p := range f.unread {
		if used[p.Pos.File] {
			problems = append(problems, p)
		}
	}
	return problems
}

// unasked reports attributes by which other than CUE would come in, and which CUE passes over
// or does not have here.
func unasked(file *ast.File) (problems Problems) {
	var asked bool
	ast.Walk(file, func(n ast.Node) bool {
		a, ok := n.(*ast.Attribute)
		if !ok {
			return true
		}
		switch key, body := a.Split(); {
		case key == "extern" && strings.TrimSpace(body) == embed.EmbedKind:
			asked = true
		case key == "extern":
			problems = append(problems, &Problem{Pos: posOf(a.Pos()), Text: "@extern: nothing but files is brought in", Hint: "@extern(embed) is for files; leave it out"})
		case key == "embed" && !asked:
			problems = append(problems, &Problem{Pos: posOf(a.Pos()), Text: "@embed: this file does not say that it embeds others", Hint: "put @extern(embed) above its package clause"})
		}
		return true
	}, nil)
	return problems
}

// rooted says of a configuration's files which module they are in, as CUE embeds files of a
// module only; the loader does not say so of files that are named. A configuration of no module is one by itself.
func rooted(inst *build.Instance, dir string) {
	if inst.Root = moduleRoot(dir); inst.Root == "" {
		inst.Root = dir
	}
	if inst.Module = moduleName(inst.Root); inst.Module == "" {
		inst.Module = "strata.io/configuration"
	}
}
