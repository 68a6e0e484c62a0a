// Package archive keeps images of volumes in a restic repository, of version 2 of its
// documented format, and reads what is in one. Users list, check, restore, copy and prune
// with the restic that they have; to get the data back they need nothing of ours:
//
//	restic dump ID /db/image | tar -xO > disk
//
// writes the image of the volume db, for its files are in order in that tar.
//
// # What a record looks like
//
// A record, a snapshot as restic calls it, has one directory, named after the volume, and
// in it image.json (sizes, a content hash, the caller's note) and image: files of 1 GiB,
// each a list of blobs of one block each, in a directory of its own, a thousand of these in
// one above:
//
//	/db/image.json
//	/db/image/0000/0000/data
//	/db/image/0000/0001/data
//
// Every record is whole. Pieces that are equal share their tree, blocks that are equal
// their blob, so one that builds on another ([BackupOptions]) costs the blocks that were
// written, the lists of the pieces that have them, and a few trees. Nothing is read of the
// blocks that were not written. Zeroes are one blob.
//
// # What can go wrong
//
// Packs are stored first, then indexes, then the record; who is killed in between leaves a
// repository that is whole. The next backup finds the packs, indexed or not, and stores
// nothing again that is in them. Packs that an index has and the store has not count as
// not there. Everything that is read is compared with the sum by which it is known.
//
// Backups and reading have a lock that others share, [Repository.Prune] has one that
// excludes them all. restic's are the same, and both keep to the other's. A lock is
// renewed; where that was not possible for too long a backup leaves no record
// ([ErrLockLost]).
//
// # Memory
//
// What is known of blobs (49 bytes each), and which blocks were written, is in temporary
// files as far as it is more than some MiB; lists of blocks are read piece by piece. A
// backup has at most 16 MiB of blocks in its queue (or four blocks), and five packs of
// some 18 MiB.
//
// Stores are in packages of their own: a directory, a bucket. [Store] says what they have to do.
package archive
