package schema

import (
	"fmt"
	"path"
	"strings"

	"strata/lineage"
)

const defaultBlockSize = 4096

const oneDisk = `aio: "/dev/sdb", uring: "/dev/sdb", nvme: "0000:5e:00.0" or malloc: 1Gi`

func (s *spot) pool(cluster lineage.Cluster) *Pool {
	p := &Pool{Name: s.name, Lvstore: cluster.Lvstore(s.name), ClusterSize: defaultClusterSize, Pos: s.pos()}
	o, ok := s.object("a struct with a disk: " + oneDisk)
	if !ok {
		return p
	}
	o.only(poolFields)
	o.disk(p)
	if n, ok := o.field("blockSize").oneOf("512 or 4096 bytes", func(n int64) bool { return n == 512 || n == 4096 }); ok {
		if p.Kind == NVMe {
			o.field("blockSize").wrong("leave it out", "is not for an NVMe disk, which has its own")
		}
		p.BlockSize = n
	} else if p.Kind != NVMe {
		p.BlockSize = defaultBlockSize
	}
	if n, ok := o.field("clusterSize").oneOf("a power of two from 64Ki to 1Gi", func(n int64) bool {
		return n >= minClusterSize && n <= maxClusterSize && n&(n-1) == 0
	}); ok {
		p.ClusterSize = n
	}
	p.Format = o.field("format").boolean()
	if name, ok := o.field("lvstore").matching(`the name of an lvstore, 1 to 63 printable characters without "/"`, lvsName.MatchString); ok {
		p.Lvstore = name
	}
	p.Overcommit, _ = o.field("overcommit").factor(fmt.Sprintf("a number from 1 to %d", maxOvercommit), 1, maxOvercommit)
	if f := o.field("clear"); f != nil {
		how, _ := f.matching(`"unmap", "zeroes" or "none"`, func(t string) bool { return t == "unmap" || t == "zeroes" || t == "none" })
		p.Keeps, p.Zeroes = how == "none", how == "zeroes"
	}
	p.Replaces, _ = o.field("replaces").ownName("pool")
	if f := o.field("renamedFrom"); f != nil {
		if p.RenamedFrom, _ = f.ownName("pool"); o.field("lvstore") != nil {
			f.wrong("leave it out", "is for a pool whose lvstore strata names, and this one has lvstore")
		}
	}
	return p
}

// disk reads the one disk of a pool.
func (o object) disk(p *Pool) {
	var given []string
	for _, kind := range []DiskKind{AIO, Uring, NVMe, Malloc} {
		f := o.field(string(kind))
		if f == nil {
			continue
		}
		given = append(given, string(kind))
		p.Kind = kind
		switch kind {
		case NVMe:
			p.Path, _ = f.matching(`a PCI address such as "0000:5e:00.0"`, pciAddr.MatchString)
			p.Path = strings.ToLower(p.Path)
		case Malloc:
			p.Bytes, _ = f.bytes()
		default:
			p.Path = f.diskPath()
		}
	}
	switch {
	case len(given) == 0:
		o.wrong("give it one of "+oneDisk, "has no disk")
	case len(given) > 1:
		o.wrong("", "has several disks, %s: a pool is on one", strings.Join(given, " and "))
	}
}

// diskPath returns a path by which a disk is known: however it is written, one
// disk has one.
func (s *spot) diskPath() string {
	t, ok := s.matching(`a path such as "/dev/nvme1n1"`, diskPath.MatchString)
	if !ok {
		return ""
	}
	if upwards.MatchString(t) {
		s.wrong("write it out", `must have no ".." in it: where %q leads is known on the node only`, t)
		return ""
	}
	return path.Clean(t)
}

// oneOf returns a whole number that ok accepts.
func (s *spot) oneOf(want string, ok func(int64) bool) (int64, bool) {
	n, is := s.integer(want, 0, 1<<63-1)
	if is && !ok(n) {
		s.wrong("", "must be %s, not %d", want, n)
		return 0, false
	}
	return n, is
}
