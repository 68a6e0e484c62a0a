package archive

import "syscall"

func mapped(n int) []byte {
	p, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	return p
}

// unused has the kernel take the memory back until it is written to again.
func unused(p []byte) {
	// Where it cannot, it stays.
	_ = syscall.Madvise(p, syscall.MADV_DONTNEED)
}
