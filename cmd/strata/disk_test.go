package main

import "fmt"

// cmdDisk puts disks elsewhere, while the targets that have or get them are down.
func (l *lab) cmdDisk(_ *script, args []string) error {
	what, at := args[0], args[1:]
	switch {
	case what == "blank" && len(at) == 2:
		return l.removeDisk(at[0], at[1])
	case what == "move" && len(at) == 4:
		return l.moveDisk(at[0], at[1], at[2], at[3])
	case what == "swap" && len(at) == 4:
		const aside = "/dev/aside"
		if err := l.moveDisk(at[0], at[1], at[0], aside); err != nil {
			return err
		}
		if err := l.moveDisk(at[2], at[3], at[0], at[1]); err != nil {
			return err
		}
		return l.moveDisk(at[0], aside, at[2], at[3])
	}
	return fmt.Errorf("what is %q?", args)
}

func (l *lab) moveDisk(from, path, to, as string) error {
	if err := l.cluster.CopyDisk(from, path, to, as); err != nil {
		return err
	}
	return l.removeDisk(from, path)
}

func (l *lab) removeDisk(node, path string) error {
	t, err := l.target(node)
	if err != nil {
		return err
	}
	return t.ReplaceDisk(path)
}
