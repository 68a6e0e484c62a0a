package lineage

import "testing"

func TestPartNames(t *testing.T) {
	for name, want := range map[string]Part{"db.0": {"db", 0}, "db.63": {"db", 63}, "a-2.7": {"a-2", 7}} {
		if p, ok := SplitPart(name); !ok || p != want || PartName(p.Whole, p.Index) != name {
			t.Errorf("%s: %+v, %v", name, p, ok)
		}
	}
	for _, name := range []string{"db", "db.", "db.64", "db.00", "db.-1", "db.+1", ".0", "DB.0", "db.0.1", "db.k3f7", "a234567890123456789012.0"} {
		if p, ok := SplitPart(name); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
	longest := PartName("a23456789012345678901", MaxParts-1)
	if len(longest) != MaxName || !ValidVolume(longest) {
		t.Errorf("%s has %d bytes", longest, len(longest))
	}
	if w := (Volume{"db.3", "k3f7"}).Whole(); w != (Volume{"db", "k3f7"}) {
		t.Error(w)
	}
	if w := (Volume{"db", "k3f7"}).Whole(); w != (Volume{"db", "k3f7"}) {
		t.Error(w)
	}
}

// The names of parts' heads say how the whole is laid out, and only those do.
func TestHeadsOfParts(t *testing.T) {
	part := Volume{"db.1", "k3f7"}
	for name, want := range map[LvolName]Head{
		"db.1.k3f7#7.2:3":                        {Volume: part, Epoch: 7, Legs: 2, Layout: Layout{Parts: 3}},
		"db.1.k3f7#7.2.5:3x64qp":                 {Volume: part, Epoch: 7, Legs: 2, Cut: 5, Layout: Layout{3, 64}, Wait: true, Quorum: true, Mark: Primary},
		"db.1.k3f7#7:3x":                         {Volume: part, Epoch: 7, Layout: Layout{Parts: 3}, Mark: Fenced},
		"db.1.k3f7#7.5:3x1024x":                  {Volume: part, Epoch: 7, Cut: 5, Layout: Layout{3, 1024}, Mark: Fenced},
		"db.1.k3f7#7.2:64x4s":                    {Volume: part, Epoch: 7, Legs: 2, Layout: Layout{64, 4}, Mark: Sealed},
		"db.1.k3f7#7.2p":                         {Volume: part, Epoch: 7, Legs: 2, Mark: Primary},
		"db.1.k3f7#7:2y":                         {Volume: part, Epoch: 7, Layout: Layout{Parts: 2}, Mark: Fenced, Pledged: true},
		"db.1.k3f7#9999999.99.9999999:64x1024qs": {Volume: part, Epoch: MaxEpoch, Legs: 99, Cut: MaxEpoch, Layout: Layout{64, 1024}, Wait: true, Quorum: true, Mark: Sealed},
	} {
		h, ok := ParseHead(name)
		if !ok || h != want || h.Lvol() != name {
			t.Errorf("%s: %+v, %v, %s", name, h, ok, h.Lvol())
		}
	}
	for _, name := range []LvolName{
		"db.k3f7#7.2:3", // of no part
		"db.1.k3f7#7.2:", "db.1.k3f7#7.2:0", "db.1.k3f7#7.2:65", "db.1.k3f7#7.2:03", "db.1.k3f7#7.2:3x3s", "db.1.k3f7#7.2:3x2048s", "db.1.k3f7#7.2:3x0p",
		"db.1.k3f7#7.2:3:4", "db.1.k3f7#7.2:3.5", "db.64.k3f7#7.2", "db.01.k3f7#7.2",
	} {
		if h, ok := ParseHead(name); ok {
			t.Errorf("%s: %+v", name, h)
		}
	}
	longest := Layer{Volume: Volume{"a23456789012345678901.63", "k3f7"}, Epoch: MaxEpoch, Own: true, Snapshot: "a23456789012345678901234"}.Lvol()
	if len(longest) > MaxLvolName {
		t.Errorf("%s has %d bytes", longest, len(longest))
	}
	if n, ok := Parse(longest); !ok || n.Lvol() != longest {
		t.Errorf("%s: %v", longest, n)
	}
}

// What hosts reach is the whole's, and it cannot be taken for a part's.
func TestWholeOnTheFabric(t *testing.T) {
	c, part := Cluster("lab"), Volume{"db.1", "k3f7"}
	if v, ok := c.ParseRaid(c.Raid(part)); !ok || v != part {
		t.Error(v, ok)
	}
	if v, ok := c.ParseRaid(c.Raid(part.Whole())); !ok || v != part.Whole() {
		t.Error(v, ok)
	}
	if v, ok := c.ParseExport(c.ExportNQN(part.Whole())); !ok || v != part.Whole() {
		t.Error(v, ok)
	}
	if c.ExportUUID(part) == c.ExportUUID(part.Whole()) {
		t.Error("a part has the UUID of its whole")
	}
}
