// Package sim is a cluster of simulated SPDK targets: JSON-RPC over Unix
// sockets, a blobstore with lvols, RAID1, and NVMe-oF between the targets of
// one [Cluster] without any network. With Options.NVMe hosts outside of the
// simulation reach them over one.
//
// It behaves as SPDK v26.05 was seen to behave, down to codes and messages of
// errors; where no exchange was recorded it follows SPDK's source. Disks
// outlive a target; everything else is lost when it stops.
//
// It never imports the planner's packages and decides nothing on its own: what
// a caller did is in [Target.Calls], what should go wrong comes from
// [Cluster.Inject].
//
// All state of a cluster is under one lock. A call that has to wait (for a
// controller that is reconnecting, for outstanding I/O) gives the lock up and
// is answered later, as an asynchronous RPC of SPDK is. Time is only taken
// from package time, so a test may run it in a testing/synctest bubble and
// hand connections to [Target.Serve].
package sim
