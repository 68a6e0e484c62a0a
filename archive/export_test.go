package archive

import "time"

func init() {
	scryptP = 1 // keys of tests need not be dear
	lockSettle = 20 * time.Millisecond
}
