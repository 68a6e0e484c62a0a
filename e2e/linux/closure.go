package linux

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// libraryDirs are where the loader looks.
var libraryDirs = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"}

// loader is what programs name as their interpreter.
const loader = "/lib64/ld-linux-x86-64.so.2"

// closure lists programs of an unpacked file system, the libraries they load, and
// more libraries by name; each as the path by which it is found.
func closure(root string, programs, libraries []string) (files []string, err error) {
	todo := slices.Clone(programs)
	for _, name := range libraries {
		path, err := library(root, name, nil)
		if err != nil {
			return nil, err
		}
		todo = append(todo, path)
	}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if slices.Contains(files, path) {
			continue
		}
		files = append(files, path)
		f, err := elf.Open(filepath.Join(root, path))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		needed, err := f.ImportedLibraries()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		dirs := ownDirs(f)
		f.Close()
		for _, name := range needed {
			path, err := library(root, name, dirs)
			if err != nil {
				return nil, err
			}
			todo = append(todo, path)
		}
	}
	return files, nil
}

// ownDirs are where a program says that its libraries are.
func ownDirs(f *elf.File) (dirs []string) {
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		values, _ := f.DynString(tag)
		for _, v := range values {
			dirs = append(dirs, strings.Split(v, ":")...)
		}
	}
	return dirs
}

func library(root, name string, dirs []string) (string, error) {
	if name == filepath.Base(loader) {
		return loader, nil
	}
	for _, dir := range append(slices.Clone(dirs), libraryDirs...) {
		if _, err := os.Stat(filepath.Join(root, dir, name)); err == nil {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("no package has the library %s", name)
}

// driversOf lists modules of the kernel and what they depend on, each after what
// it needs. Those that are built in are left out.
func driversOf(root string, names []string) ([]string, error) {
	all, builtIn := map[string]string{}, map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "lib", "modules"), func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case filepath.Ext(path) == ".ko":
			all[moduleName(path)] = strings.TrimPrefix(path, root)
		case d.Name() == "modules.builtin":
			list, err := os.ReadFile(path)
			for _, line := range strings.Fields(string(list)) {
				builtIn[moduleName(line)] = true
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var order []string
	var add func(name string) error
	add = func(name string) error {
		path, there := all[name]
		switch {
		case !there && builtIn[name], slices.Contains(order, path):
			return nil
		case !there:
			return fmt.Errorf("the kernel has no module %s.ko", name)
		}
		f, err := elf.Open(filepath.Join(root, path))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer f.Close()
		for _, needed := range dependsOn(f) {
			if err := add(moduleName(needed)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		order = append(order, path)
		return nil
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName is what the kernel calls the module in a file.
func moduleName(path string) string {
	return strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".ko"), "-", "_")
}

// dependsOn reads "depends=a,b" of a module's information.
func dependsOn(f *elf.File) (names []string) {
	s := f.Section(".modinfo")
	if s == nil {
		return nil
	}
	data, _ := s.Data()
	for _, field := range bytes.Split(data, []byte{0}) {
		if list, ok := strings.CutPrefix(string(field), "depends="); ok && list != "" {
			names = append(names, strings.Split(list, ",")...)
		}
	}
	return names
}
