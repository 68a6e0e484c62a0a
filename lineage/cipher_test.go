package lineage

import "testing"

func TestCipherNamesRoundTrip(t *testing.T) {
	c, db := Cluster("lab"), Volume{"db", "k3f7"}
	for _, name := range c.Ciphers(db) {
		if v, ok := c.ParseCipher(name); !ok || v != db {
			t.Error(name, v, ok)
		}
	}
	if v, ok := c.ParseKeyNote(c.KeyNote(db)); !ok || v != db {
		t.Error(v, ok)
	}
	for _, name := range []string{c.Raid(db), c.KeyNote(db), "other.db.k3f7.cipher", "lab.db.cipher", ".cipher", c.Disk("fast")} {
		if v, ok := c.ParseCipher(name); ok {
			t.Errorf("%s is the cipher of %v", name, v)
		}
	}
	for _, name := range []string{c.Raid(db), c.Cipher(db, true), "lab.key.", "lab.key.k3f7", "other.key.db.k3f7"} {
		if v, ok := c.ParseKeyNote(name); ok {
			t.Errorf("%s is the note of %v", name, v)
		}
	}
	for _, check := range []Check{"abcd", Unkeyed} {
		if got, ok := ParseKeyMark(db, KeyMark(db, check)); !ok || got != check {
			t.Error(got, ok)
		}
		if _, ok := ParseKeyMark(Volume{"db", "aaaa"}, KeyMark(db, check)); ok {
			t.Error("a mark of another incarnation is taken")
		}
	}
	for _, u := range []UUID{"", "x", c.ExportUUID(db), CopyMark(1, "x")} {
		if _, ok := ParseKeyMark(db, u); ok {
			t.Errorf("%s is a mark", u)
		}
	}
}
