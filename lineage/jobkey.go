package lineage

import "strings"

// JobKey names a key by which a node or strata proves itself to the other where data goes
// between them (DH-HMAC-CHAP): on the path of a backup, of what is written to become a volume,
// or of an image that is read. It is made for that, and goes with it.
type JobKey struct {
	Path   JobPath
	Volume Volume
	// Run is the one that copies, as in Backup; "" of an image, which is served by one run
	// after another.
	Run UUID
	// Target is set for the key of who is connected to; else it is that of who connects.
	Target bool
}

// JobPath says what goes between strata and a node.
type JobPath string

// The paths.
const (
	BackupPath  JobPath = backing
	RestorePath JobPath = restoring
	ImagePath   JobPath = showing
)

// The ends of names of such keys.
const (
	ofHost   = "host"
	ofTarget = "target"
)

// JobKey is what the key is called in the node's keyring, and the file there that it is in.
func (c Cluster) JobKey(k JobKey) string {
	end := ofHost
	if k.Target {
		end = ofTarget
	}
	return strings.Join([]string{string(c), string(k.Path), k.Volume.String(), string(k.Run), end}, ".")
}

// JobNQN is the subsystem whose path the key is for: one of strata's that the node attaches to,
// or one of the node's.
func (c Cluster) JobNQN(k JobKey) NQN {
	switch job := (Backup{k.Volume, k.Run}); k.Path {
	case BackupPath:
		return c.BackupNQN(job)
	case RestorePath:
		return c.RestoreNQN(job)
	}
	return c.ImageNQN(k.Volume)
}

// ParseJobKey is the inverse of JobKey; false for any other name.
func (c Cluster) ParseJobKey(name string) (k JobKey, ok bool) {
	rest, ours := strings.CutPrefix(name, string(c)+".")
	parts := strings.Split(rest, ".")
	end := len(parts) - 1
	if !ours || end < 3 {
		return JobKey{}, false
	}
	v, is := parseVolume(strings.Join(parts[1:end-1], "."))
	k = JobKey{JobPath(parts[0]), v, UUID(parts[end-1]), parts[end] == ofTarget}
	if !is || c.JobKey(k) != name || k.Path != BackupPath && k.Path != RestorePath && k.Path != ImagePath {
		return JobKey{}, false
	}
	return k, true
}
