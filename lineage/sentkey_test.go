package lineage

import "testing"

func TestSentKeyNamesRoundTrip(t *testing.T) {
	c, host := Cluster("lab"), NQN("nqn.2026-01.com.example:a")
	k := SentKey{"db", Whose(host, RoleHost), KeyCheck([]byte("0123456789"))}
	name := c.SentKey(k)
	if got, ok := c.ParseSentKey(name); !ok || got != k {
		t.Errorf("%s: %+v, %v", name, got, ok)
	}
	if v, ok := c.ParseKey(name); !ok || v != "db" || !c.KeyOf("db", name) || c.KeyOf("d", name) {
		t.Errorf("%s is a key of %q", name, v)
	}
	if Whose(host, RoleTarget) == k.Whose || Whose(host+"b", RoleHost) == k.Whose {
		t.Error("a key is not told from that of another")
	}
	for _, name := range []string{c.Key("db", "/k/a"), c.Key("db", "/k/.~"+k.Whose+"."+k.Check), Cluster("other").SentKey(k), name + "a", name[:len(name)-1], "lab.host..~" + k.Whose + "." + k.Check} {
		if got, ok := c.ParseSentKey(name); ok {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
	if v, ok := c.ParseKey(c.Key("db", "/k/a")); !ok || v != "db" || !c.KeyOf("db", c.Key("db", "/k/a")) {
		t.Error("a key in a file of the node's is not known")
	}
}
