package lineage

import (
	"strings"
	"testing"
)

func TestMembersRoundTrip(t *testing.T) {
	long := strings.Repeat("n", MaxName)
	for _, m := range []Member{
		MemberOf("n2", "fast", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"), {Node(long), long, "1b4e28ba"}, MemberOf("n2", "fast", PendingUUID),
	} {
		if got, ok := ParseMember(m.Lvol()); !ok || got != m || len(m.Lvol()) > MaxLvolName {
			t.Errorf("ParseMember(%q) = %v, %v", m.Lvol(), got, ok)
		}
		if n, ok := Parse(m.Lvol()); ok {
			t.Errorf("Parse(%q) = %v, want none", m.Lvol(), n)
		}
	}
	m := MemberOf("n2", "fast", "1b4e28ba-2fa1-11d2-883f-0016d3cca427")
	if !m.Is("1b4e28ba-2fa1-11d2-883f-0016d3cca427") || m.Is("2b4e28ba-2fa1-11d2-883f-0016d3cca427") || m.Is("") || m.Is("1b4e") {
		t.Error("a member is not told by its lvstore")
	}
	for _, name := range []LvolName{"", "~", "~n2", "~n2.fast", "n2.fast.1b4e28ba", "~n2.fast.1b4e28b", "~n2.fast.1B4E28BA", "~N2.fast.1b4e28ba", "~n2.fast.1b4e28ba.x", "~n2..1b4e28ba"} {
		if m, ok := ParseMember(name); ok {
			t.Errorf("ParseMember(%q) = %v, want none", name, m)
		}
	}
}
