// Package archive keeps images of volumes in a restic repository, of version 2 of its
// documented format, and reads what is in one: users list, check, restore, copy and
// prune with the restic that they have.
package archive
