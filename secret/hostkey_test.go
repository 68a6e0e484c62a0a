package secret

import (
	"fmt"
	"strings"
	"testing"

	"strata/lineage"
	"strata/nvmetcp"
)

func TestHostKey(t *testing.T) {
	text := nvmetcp.NewKey().Text()
	k, err := ParseHostKey(lineage.RoleHost, text+"\n")
	if err != nil || k.Text() != text+"\n" {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	other, err := ParseHostKey(lineage.RoleTarget, nvmetcp.NewKey().Text())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{k.Check("lab", "db", "a"), k.Check("lab", "db", "b"), k.Check("lab", "db2", "a"), k.Check("lab2", "db", "a"), other.Check("lab", "db", "a")} {
		if seen[c] || len(c) != 16 {
			t.Errorf("%s is not its own", c)
		}
		seen[c] = true
	}
	for _, printed := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, []HostKey{k})} {
		if strings.Contains(printed, text[10:20]) {
			t.Errorf("it is printed: %s", printed)
		}
	}
	for _, bad := range []string{"", "secret", text[:len(text)-3], strings.Repeat("0a", 32)} {
		if _, err := ParseHostKey(lineage.RoleHost, bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
}

func TestPSK(t *testing.T) {
	text := nvmetcp.NewPSK().Text()
	k, err := ParseHostKey(lineage.RolePSK, text+"\n")
	if err != nil || k.Text() != text {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%v %+v %#v", k, k, []HostKey{k}); strings.Contains(printed, text[20:30]) {
		t.Errorf("it is printed: %s", printed)
	}
	for _, bad := range []string{"", "secret", text[:len(text)-3], nvmetcp.NewKey().Text()} {
		if _, err := ParseHostKey(lineage.RolePSK, bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
	if _, err := ParseHostKey(lineage.RoleHost, text); err == nil {
		t.Error("a key of TLS is taken for one that a host proves to have")
	}
}
