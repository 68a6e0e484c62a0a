package lineage

import "testing"

func TestJobKey(t *testing.T) {
	const c Cluster = "lab"
	v := Volume{Name: "db-log", ID: "k3f7"}
	for _, k := range []JobKey{
		{BackupPath, v, "4f3c1e8e-0000-4000-8000-000000000001", false},
		{RestorePath, v, "4f3c1e8e-0000-4000-8000-000000000001", true},
		{ImagePath, v, "", true},
		{BackupPath, Volume{Name: "db.1", ID: "k3f7"}, "4f3c1e8e-0000-4000-8000-000000000001", true},
	} {
		got, ok := c.ParseJobKey(c.JobKey(k))
		if !ok || got != k {
			t.Errorf("%s is read as %+v, %v", c.JobKey(k), got, ok)
		}
	}
	for _, name := range []string{
		"", "lab", "lab.~backup", "lab.~backup.db.k3f7.r", "lab.~backup.db.k3f7.r.other", "lab.~other.db.k3f7.r.host",
		"other.~backup.db.k3f7.r.host", "lab.host.db./etc/key", "lab.~backup.db.k3f7.r.host.",
	} {
		if k, ok := c.ParseJobKey(name); ok {
			t.Errorf("%q is read as %+v", name, k)
		}
	}
}
