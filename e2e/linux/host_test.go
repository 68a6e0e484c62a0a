package linux

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestScripts: a host carries out all scripts that it is given, beside each other, and one
// of which the second half comes in when another has ended.
func TestScripts(t *testing.T) {
	if os.Getenv("SPDK_TGT") == "" {
		t.Skip("boots a Linux host, which is what make e2e does")
	}
	cache, err := CacheDir()
	if err != nil {
		t.Skip(err)
	}
	var missing Missing
	image, err := Prepare(cache)
	if errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	h, err := image.Boot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.End()
	ends, err := h.Start("sleep 1")
	if err != nil {
		t.Fatal(err)
	}
	line := "half " + base64.StdEncoding.EncodeToString([]byte("echo whole; exit 3")) + "\n"
	half := h.expect("half", "echo whole")
	fmt.Fprint(h.port, line[:len(line)/2])
	if _, _, err := ends.Wait(time.Minute); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // its process ends after its answer
	fmt.Fprint(h.port, line[len(line)/2:])
	if out, code, err := half.Wait(20 * time.Second); err != nil || code != 3 || out != "whole\n" {
		t.Errorf("%q, exit code %d (%v)", out, code, err)
	}

	var all []*Script
	for i := range 20 {
		s, err := h.Start(fmt.Sprintf("echo %d; exit %d", i, i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	for i, s := range all {
		if out, code, err := s.Wait(time.Minute); err != nil || code != i || out != fmt.Sprintln(i) {
			t.Errorf("script %d: %q, exit code %d (%v)", i, out, code, err)
		}
	}
}
