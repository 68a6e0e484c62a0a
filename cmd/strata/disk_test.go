package main

import "fmt"

// cmdDisk puts a disk elsewhere, while the targets that have and get it are down.
func (l *lab) cmdDisk(_ *script, args []string) error {
	if len(args) != 5 || args[0] != "move" {
		return fmt.Errorf("what is %q?", args)
	}
	t, err := l.target(args[1])
	if err != nil {
		return err
	}
	if err := l.cluster.CopyDisk(args[1], args[2], args[3], args[4]); err != nil {
		return err
	}
	return t.ReplaceDisk(args[2])
}
