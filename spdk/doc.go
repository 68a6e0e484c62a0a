// Package spdk is a typed JSON-RPC client of SPDK targets.
//
// It owns the transports, the framing, the calls' parameters and results, and
// the classification of errors. It never decides what should be called, never
// repeats a call and keeps no picture of a target's state.
//
// A [Client] keeps one connection to its target, dialled by the first call and
// again by the first call after it broke. Any number of calls may be in flight
// on it. Calls that are independent of each other go together in a
// [Client.Round]: a target looks at its sockets every 4 ms, so a burst costs
// what a single call costs.
//
// How a request travels:
//
//	Round ── jrpc2.Client ── wire ── net.Conn ── spdk_tgt
//
// jrpc2 numbers requests, matches replies and ends what its context ends. Its
// channel, wire, writes requests as single objects one after another, finds
// the replies in the stream, and decodes each result in place into the
// [Req] that waits for it; jrpc2 only sees that the reply came.
//
// A target on another host's socket is reached in the same way, the net.Conn
// being a channel of the one ssh connection to that host. Behind an HTTP proxy
// there is no connection to pipeline on: a poster makes each call with a POST
// of its own, a few at a time.
//
// Every error of a call is an [*Error] with a [Class]. The one distinction no
// caller may forget: [Unreachable] says that the target certainly never saw
// the request, [Unknown] that it may have.
package spdk
