package diskimage

import (
	"bytes"
	"io"
)

// format is what a file may be instead of raw.
type format struct {
	name, hint string
	at         int64 // where its mark is; from the end if negative
	mark       string
}

const (
	convert = "qemu-img convert -O raw makes one of it"
	unpack  = "unpack it first"
)

var formats = []format{
	{"a qcow2 image", convert, 0, "QFI\xfb"},
	{"a QED image", convert, 0, "QED\x00"},
	{"a VMDK image", convert, 0, "KDMV"},
	{"a VMDK image", convert, 0, "COWD"},
	{"the description of a VMDK image", convert, 0, "# Disk DescriptorFile"},
	{"a VHDX image", convert, 0, "vhdxfile"},
	{"a VHD image", convert, 0, "conectix"},
	{"a VHD image", convert, -512, "conectix"},
	{"a VDI image", convert, 64, "\x7f\x10\xda\xbe"},
	{"compressed (gzip)", unpack, 0, "\x1f\x8b\x08"},
	{"compressed (xz)", unpack, 0, "\xfd7zXZ\x00"},
	{"compressed (zstd)", unpack, 0, "\x28\xb5\x2f\xfd"},
	{"compressed (bzip2)", unpack, 0, "BZh"},
	{"an archive (zip)", unpack, 0, "PK\x03\x04"},
}

// formatOf is as what a file is marked; nil for nothing that is known.
func formatOf(f io.ReaderAt, size int64) (*format, error) {
	for i := range formats {
		x := &formats[i]
		at, got := x.at, make([]byte, len(x.mark))
		if at < 0 {
			at += size
		}
		if at < 0 || at+int64(len(got)) > size {
			continue
		}
		if _, err := f.ReadAt(got, at); err != nil {
			return nil, err
		}
		if bytes.Equal(got, []byte(x.mark)) {
			return x, nil
		}
	}
	return nil, nil
}
