package archive

func init() {
	scryptP = 1 // keys of tests need not be dear
}
