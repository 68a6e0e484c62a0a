package archive

import "sync"

// packBuffers are those of packs that grow or are being stored, of all repositories. They
// are not of the collector's heap, which it lets grow to twice what is in use: packs are
// most of that.
//
// They are never unmapped: what reads a connection's last bytes may still do so after a
// request has failed, and would crash.
var packBuffers struct {
	mu   sync.Mutex
	free [][]byte
}

// packRoom is what a pack's buffer has room for, in bytes: one block beyond packSize, the
// header, and the ends of both. Memory is used only as far as it is written to.
const packRoom = packSize + MaxBlock + maxPackHeader + 4*overhead

func takeBuffer() []byte {
	b := &packBuffers
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.free); n > 0 {
		p := b.free[n-1]
		b.free = b.free[:n-1]
		return p[:0]
	}
	return mapped(packRoom)[:0]
}

// giveBuffer takes one back. What did not fit and was moved is the collector's.
func giveBuffer(p []byte) {
	if cap(p) != packRoom {
		return
	}
	packBuffers.mu.Lock()
	defer packBuffers.mu.Unlock()
	packBuffers.free = append(packBuffers.free, p)
}

// restBuffers gives the memory back of those that nobody uses at present.
func restBuffers() {
	packBuffers.mu.Lock()
	defer packBuffers.mu.Unlock()
	for _, p := range packBuffers.free {
		unused(p[:cap(p)])
	}
}
