package plan

// Peer says whether the peer of a link that waits is waited for, when it is gone.
type Peer int

// A peer that Options.Peers has not is over when its node could not be read, and is
// waited for when it could: then it may have been restarted.
const (
	PeerWaits Peer = 1 + iota // it may come back: nothing is let go
	PeerOver                  // it has been gone for too long
)
