package lineage

import "strings"

// Backup names what a node attaches to while layers of a volume are copied from it
// into an archive: a subsystem of strata's own.
type Backup struct {
	Volume Volume
	// Run is the one that copies: the holder of the node's lock. When another has that, or
	// nobody, the run is over.
	Run UUID
}

// backing stands where the names of links have a node; it is no name.
const backing = "~backup"

// BackupNQN is the name of the subsystem.
func (c Cluster) BackupNQN(b Backup) NQN {
	return NQN(nqnPrefix + string(c) + ":" + backing + ":" + b.Volume.String() + ":" + string(b.Run))
}

// ParseBackup is the inverse of BackupNQN.
func (c Cluster) ParseBackup(n NQN) (Backup, bool) {
	rest, ok := strings.CutPrefix(string(n), nqnPrefix+string(c)+":"+backing+":")
	volume, run, named := strings.Cut(rest, ":")
	v, is := parseVolume(volume)
	if !ok || !named || !is || run == "" {
		return Backup{}, false
	}
	return Backup{v, UUID(run)}, true
}

// BackupController is the name of the controller on the node. A volume has one on a node
// at a time.
func (c Cluster) BackupController(v Volume) string {
	return string(c) + "." + backing + "." + v.String()
}

// restoring stands where backing does, of what strata writes to a node.
const restoring = "~restore"

// RestoreNQN is the name of the subsystem through which strata writes what is to become a
// volume on a node.
func (c Cluster) RestoreNQN(b Backup) NQN {
	return NQN(nqnPrefix + string(c) + ":" + restoring + ":" + b.Volume.String() + ":" + string(b.Run))
}

// ParseRestore is the inverse of RestoreNQN.
func (c Cluster) ParseRestore(n NQN) (Backup, bool) {
	rest, ok := strings.CutPrefix(string(n), nqnPrefix+string(c)+":"+restoring+":")
	volume, run, named := strings.Cut(rest, ":")
	v, is := parseVolume(volume)
	if !ok || !named || !is || run == "" {
		return Backup{}, false
	}
	return Backup{v, UUID(run)}, true
}

// RestoreHost is the host as which strata does so.
func (c Cluster) RestoreHost() NQN { return NQN(nqnPrefix + string(c) + ":" + restoring) }
