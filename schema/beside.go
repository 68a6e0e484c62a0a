package schema

import (
	"path/filepath"

	"cuelang.org/go/cue/load"
	"cuelang.org/go/cue/parser"
)

// LoadBeside is Load of paths and one more CUE file of which the name and text
// are given; it need not exist, and is not written.
func LoadBeside(paths []string, tags []string, name string, text []byte) (*Config, error) {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, Problems{unreadable(name, err)}
	}
	if f.shown[abs] == "" {
		f.cue = append(f.cue, abs)
		f.shown[abs] = name
	}
	f.beside = map[string]load.Source{abs: load.FromBytes(text)}
	return f.load(tags)
}

// Package is the name of the CUE package that the files of paths are of; "" if
// they are of none.
func Package(paths []string) (string, error) {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return "", problems.tidy()
	}
	for _, path := range f.cue {
		file, err := parser.ParseFile(path, nil, parser.PackageClauseOnly)
		if err != nil {
			return "", f.fromCUE(err).tidy()
		}
		if name := file.PackageName(); name != "" {
			return name, nil
		}
	}
	return "", nil
}
