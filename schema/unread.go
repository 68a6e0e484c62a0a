package schema

import (
	"os"
	"path/filepath"
	"slices"
)

// Unread are the JSON and YAML files in directories of a configuration that are no part of
// it, for nobody has named them: of a directory the CUE files count, and what these embed.
func Unread(paths []string) (files []string) {
	named := map[string]bool{}
	for _, path := range paths {
		named[filepath.Clean(path)] = true
	}
	for _, path := range paths {
		entries, err := os.ReadDir(path)
		if err != nil {
			continue // a file
		}
		for _, e := range entries {
			file := filepath.Join(path, e.Name())
			if e.Type().IsRegular() && slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(file)) && !named[file] {
				files = append(files, file)
			}
		}
	}
	if len(files) == 0 {
		return nil
	}
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil
	}
	_, _ = f.instance(nil) // what is wrong with them is said where they are read
	return slices.DeleteFunc(files, func(file string) bool {
		abs, err := filepath.Abs(file)
		_, is := f.embedded[abs]
		return err == nil && is
	})
}
