// Package nvmetcp speaks NVMe over TCP, as a target and as a host, with nothing but
// the standard library. It follows the NVMe base specification 1.4, NVMe over
// Fabrics 1.1 and the NVMe/TCP transport specification 1.0, and was shown to work
// with SPDK v26.05 and Linux on either end.
//
// A [Target] serves what its Connect function says: for a subsystem with one disk
// that of a [Disk], for others one that returns a [Controller] whose [View] is asked
// at each command what there is to see, so that nothing has to be kept the same in
// two places. A [Backend] has the data. What the target tells by itself, that
// namespaces or ANA states changed, its owner has it say ([Session.Changed],
// [Session.StateChanged]).
//
// A [Host] is one connection to a controller, with a queue for each of its I/O
// queues, and a [Device] a namespace of it. It does not connect again: what is lost
// is lost with [ErrLost], and the caller knows what to do.
//
// Memory is bounded: a target holds for each I/O queue no more data than twice 8 MiB,
// or four commands' worth if that is more, and asks for the rest, or lets the host
// wait, when it has room. A peer that is slow within a PDU, or does not read, is
// disconnected after Patience; one that says nothing when its keep-alive has passed
// twice.
//
// Hosts are told apart by the NQN that they say is theirs: who can reach a target and
// knows a listed NQN gets in, unless there is a [Key]. With one each queue begins with
// DH-HMAC-CHAP (SHA-256 to SHA-512; no group, or one of RFC 7919), of the host and, if it
// asks, of the target. What follows is neither encrypted nor signed; there is no TLS.
package nvmetcp
