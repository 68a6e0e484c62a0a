package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"strata/nvmetcp"
)

// cmdOutside has a host on the network, which knows nothing of the simulation,
// write to a volume, or read from it and compare.
func (l *lab) cmdOutside(_ *script, args []string) error {
	if len(args) != 5 && len(args) != 6 {
		return fmt.Errorf("usage: outside write|read VOLUME OFFSET SIZE LETTER [NQN]")
	}
	nqn := hostNQN
	if len(args) == 6 {
		nqn = args[5]
	}
	off, data, err := extent(args[2:5])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), ioLimit)
	defer cancel()
	done := false
	sockets, err := filepath.Glob(l.socket("*"))
	if err != nil {
		return err
	}
	var nodes []string
	for _, s := range sockets {
		nodes = append(nodes, strings.TrimSuffix(filepath.Base(s), ".sock"))
	}
	err = l.listenersOf(nodes, args[1], func(sub, address, port string) error {
		h, err := nvmetcp.Connect(ctx, net.JoinHostPort(address, port), nvmetcp.HostOptions{HostNQN: nqn, Subsystem: sub})
		if err != nil {
			return err
		}
		defer h.Close()
		disk, err := h.Open(ctx, 1)
		if err != nil {
			return err
		}
		done = true
		for {
			if args[0] == "write" {
				err = disk.WriteAt(ctx, data, off)
			} else {
				err = compare(args[2:5], disk.ReadAt)
			}
			if !errors.Is(err, nvmetcp.Inaccessible) || ctx.Err() != nil {
				return err
			}
			time.Sleep(10 * time.Millisecond) // hosts are held, and try again
		}
	})
	if err == nil && !done {
		err = fmt.Errorf("%s is exported nowhere", args[1])
	}
	return err
}
