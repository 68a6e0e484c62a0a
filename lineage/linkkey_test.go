package lineage

import "testing"

func TestLinkKeyNamesRoundTrip(t *testing.T) {
	c := Cluster("lab")
	for _, link := range []Link{{"n1", "n2", false}, {"n-1", "link", true}} {
		k := LinkKeys{link, 3, 12}
		for _, role := range []LinkKeyRole{LinkHost, LinkTarget, LinkUsed} {
			name := c.LinkKey(k, role)
			got, as, ok := c.ParseLinkKey(name)
			if !ok || got != k || as != role {
				t.Errorf("%s: %+v as %s, %v", name, got, as, ok)
			}
			if used, is := UsedLinkKeys(name); is != (role == LinkUsed) || is && used != k {
				t.Errorf("%s says that %+v is used, %v", name, used, is)
			}
			if _, host := c.ParseKey(name); host {
				t.Errorf("%s is a key of hosts, too", name)
			}
			if _, job := c.ParseJobKey(name); job {
				t.Errorf("%s is a key of a job, too", name)
			}
		}
	}
	for _, name := range []string{
		"", "lab.link", "lab.link.n1.n2.1.1", "lab.link.n1.n2.0.1.host", "lab.link.n1.n2.1.0.host", "lab.link.n1.n2.01.1.host", "lab.link.n1.n2.1.+1.host",
		"lab.link.n1.n2.1.1.key", "lab.link.n1..1.1.host", "lab.link.n1.n2~.1.1.host", "lab.link.n1.n2.1.1.host.a", "other.link.n1.n2.1.1.host",
	} {
		if k, _, ok := c.ParseLinkKey(name); ok {
			t.Errorf("%s is read as %+v", name, k)
		}
	}
}
