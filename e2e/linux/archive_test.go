package linux

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArchive reads what was written as the kernel's description of initial file
// systems (buffer-format) says: headers of 110 bytes, everything on multiples of four.
func TestArchive(t *testing.T) {
	var b bytes.Buffer
	a := newArchive(&b)
	a.file("usr/bin/one", 0o755, []byte("12345"))
	a.file("usr/bin/two", 0o644, nil)
	a.link("sbin/three", "one")
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for data := b.Bytes(); len(data) > 0; {
		field := func(i int) int {
			n, err := strconv.ParseInt(string(data[6+8*i:14+8*i]), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
		if string(data[:6]) != "070701" {
			t.Fatalf("after %q no header begins: %q", got, data[:min(len(data), 20)])
		}
		mode, size, name := field(1), field(6), field(11)
		body := (110 + name + 3) &^ 3
		got = append(got, fmt.Sprintf("%o %s %s", mode, data[110:110+name-1], data[body:body+size]))
		data = data[(body+size+3)&^3:]
	}
	want := []string{
		"40755 usr ", "40755 usr/bin ", "100755 usr/bin/one 12345", "100644 usr/bin/two ",
		"40755 sbin ", "120777 sbin/three one", "0 TRAILER!!! ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestMissing: who lacks something is told what, and how to get it.
func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var missing Missing
	if _, err := Prepare(t.TempDir()); !errors.As(err, &missing) || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("without qemu: %v", err)
	}
	if err := fetch(t.TempDir()); !errors.As(err, &missing) || !strings.Contains(err.Error(), "apt-get is not there") {
		t.Errorf("without APT: %v", err)
	}
}
