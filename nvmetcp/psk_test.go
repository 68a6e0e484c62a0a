package nvmetcp

import (
	"fmt"
	"strings"
	"testing"
)

func TestPSK(t *testing.T) {
	text := NewPSK().Text()
	p, err := ParsePSK(text)
	if err != nil || p.Text() != text || len(text) != len("NVMeTLSkey-1:01::")+48 {
		t.Fatal(text, err)
	}
	for _, good := range []string{
		"NVMeTLSkey-1:01:VRLbtnN9AQb2WXW3c9+wEf/DRLz0QuLdbYvEhwtdWwNf9LrZ:", // as nvme-cli documents it
	} {
		if _, err := ParsePSK(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", text + "\n", " " + text, text[:len(text)-1], text[:len(text)-2] + "A:", strings.Replace(text, ":01:", ":02:", 1),
		strings.Replace(text, ":01:", ":03:", 1), NewKey().Text(), strings.Replace(text, ":01:", ":01:\n", 1),
	} {
		if _, err := ParsePSK(bad); err != ErrPSK {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ParsePSK(strings.Replace(text, ":01:", ":00:", 1)); err != nil {
		t.Error("one that is used as it is:", err)
	}
	if printed := fmt.Sprintf("%v %+v %#v %s", p, p, p, []*PSK{p}); strings.Contains(printed, text[20:30]) {
		t.Errorf("it is printed: %s", printed)
	}
}
