package nvmetcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// TestBehavior: a host of a disk is asked to say what it supports, says it, and finds that said. One of
// something else is not asked.
func TestBehavior(t *testing.T) {
	const formats = 1 << 15
	dsk, _ := disk(1 << 20)
	for _, c := range []struct {
		name    string
		connect func(*Session) (Controller, error)
		asked   bool
	}{{"a disk", dsk.Connect, true}, {"a shelf", (&shelf{}).Connect, false}} {
		t.Run(c.name, func(t *testing.T) {
			h := connect(t, serve(t, &Target{Connect: c.connect}), HostOptions{})
			page, err := h.admin.identify(t.Context(), cnsController, 0)
			if err != nil || (binary.LittleEndian.Uint32(page[96:])&formats != 0) != c.asked {
				t.Errorf("attributes %#x, %v", page[96:100], err)
			}
			set, get := newCommand(opSetFeatures), newCommand(opGetFeatures)
			set.put(10, featBehavior)
			get.put(10, featBehavior)
			said := make([]byte, behaviorLen)
			said[2] = 1
			switch _, err := h.admin.do(t.Context(), set, said, nil); {
			case !c.asked:
				if !errors.Is(err, InvalidField) {
					t.Errorf("set: %v", err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			got := make([]byte, behaviorLen)
			if _, err := h.admin.do(t.Context(), get, nil, got); err != nil || !bytes.Equal(got, said) {
				t.Errorf("%v, %v", got[:4], err)
			}
			if formats, err := h.admin.identify(t.Context(), cnsFormats, 1); err != nil || !bytes.Equal(formats, make([]byte, identifyLen)) {
				t.Errorf("formats: %v", err)
			}
		})
	}
}
