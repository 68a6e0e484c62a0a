package archive

import (
	"os"
	"os/user"
	"strconv"
)

// agent is who writes, as locks, keys and snapshots say for people.
type agent struct {
	Hostname, Username string
	UID, GID           uint32
}

func self() agent {
	a := agent{Username: "strata"}
	a.Hostname, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		a.Username = u.Username
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		a.UID, a.GID = uint32(uid), uint32(gid)
	}
	return a
}
