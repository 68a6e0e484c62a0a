package catalog

// Images are the raw images in files that volumes are to start as, by the path of the file.
type Images map[string]*Image

// Image is what was found of one.
type Image struct {
	// Unread says why it could not be read, or is not taken; "" when it is.
	Unread string
	Size   int64 // bytes
	Data   int64 // bytes that are not in holes of the file: what is written at most
}
