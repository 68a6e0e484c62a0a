package schema

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
)

// Sources are the files and directories that a configuration was read from, as
// absolute paths, sorted. Some need not exist: a file that was named, the directory of
// a package that is imported. What a configuration says can change only where one of
// these does.
type Sources struct {
	Files []string // named, or of an imported package
	Dirs  []string // of which every CUE file counts, a new one included
	Globs []Glob   // whose files are embedded; those that are there are in Files, too
}

// LoadSources is Load that tells what was read, also where that could not be
// understood.
func LoadSources(paths []string, tags []string) (*Config, *Sources, error) {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil, f.sources.tidy(), problems.tidy()
	}
	f.sources.module(f.cue)
	cfg, err := f.load(tags)
	return cfg, f.sources.tidy(), err
}

func (s *Sources) file(path string) {
	if abs, err := filepath.Abs(path); err == nil {
		s.Files = append(s.Files, abs)
	}
}

func (s *Sources) dir(path string) {
	if abs, err := filepath.Abs(path); err == nil {
		s.Dirs = append(s.Dirs, abs)
	}
}

// module takes note of the module around the first file, which is where CUE looks for
// packages.
func (s *Sources) module(cue []string) {
	if len(cue) > 0 {
		if root := moduleRoot(filepath.Dir(cue[0])); root != "" {
			s.Files = append(s.Files, moduleFile(root))
		}
	}
}

// parsed takes note of a file that was parsed and of the packages it imports.
func (s *Sources) parsed(path string, file *ast.File) {
	s.file(path)
	var root, module string
	for spec := range file.ImportSpecs() {
		name := strings.Trim(spec.Path.Value, `"`)
		name, _, _ = strings.Cut(name, ":")
		if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
			continue // of CUE's own library
		}
		if root == "" {
			if root = moduleRoot(filepath.Dir(path)); root == "" {
				return
			}
			module = moduleName(root)
		}
		if below, ok := strings.CutPrefix(name, module); ok && module != "" && (below == "" || below[0] == '/') {
			s.Dirs = append(s.Dirs, filepath.Join(root, below))
			continue
		}
		for _, kept := range []string{"gen", "usr", "pkg"} {
			s.Dirs = append(s.Dirs, filepath.Join(root, "cue.mod", kept, name))
		}
	}
}

func (s *Sources) tidy() *Sources {
	slices.Sort(s.Files)
	slices.Sort(s.Dirs)
	slices.SortFunc(s.Globs, func(a, b Glob) int {
		return cmp.Or(strings.Compare(a.Dir, b.Dir), strings.Compare(a.Pattern, b.Pattern))
	})
	return &Sources{Files: slices.Compact(s.Files), Dirs: slices.Compact(s.Dirs), Globs: slices.Compact(s.Globs)}
}

// moduleRoot is the directory of the module that a directory is in; "" for none.
func moduleRoot(dir string) string {
	for {
		if isDir(filepath.Join(dir, "cue.mod")) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func moduleFile(root string) string { return filepath.Join(root, "cue.mod", "module.cue") }

// moduleName is what packages of a module are imported by; "" if that is not known.
func moduleName(root string) string {
	text, err := os.ReadFile(moduleFile(root))
	if err != nil {
		return ""
	}
	file, err := parser.ParseFile("", text)
	if err != nil {
		return ""
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			if name, _, err := ast.LabelName(f.Label); err == nil && name == "module" {
				if lit, ok := f.Value.(*ast.BasicLit); ok {
					name, _, _ := strings.Cut(strings.Trim(lit.Value, `"`), "@")
					return name
				}
			}
		}
	}
	return ""
}
