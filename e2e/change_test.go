package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestReplicasUpAndDown gives an empty volume in use two more replicas while a
// host reads it, fills it, and takes one away again.
func TestReplicasUpAndDown(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 256Mi, replicas: 1, export: nvmf: hosts: "any"}`)
	l.Apply(0)
	reader := l.StartReader("db", 20)
	l.Configure(`db: {size: 256Mi, replicas: 3, export: nvmf: hosts: "any"}`)
	r := l.Apply(0)
	t.Logf("two replicas joined in %v: %s", r.Took, lastLine(r.Out))
	t.Logf("the host's longest read took %v", reader.Wait())
	l.Settled()
	data := Pattern(1, 32*mib)
	l.Write("db", 100, data)

	var engine, gone string
	for node, alias := range l.Heads("db") {
		if strings.HasSuffix(alias, "p") {
			engine = node
		} else {
			gone = node
		}
	}
	l.Configure(fmt.Sprintf(`db: {size: 256Mi, replicas: on: [for n in ["n1", "n2", "n3"] if n != %q {n}], engine: %q, export: nvmf: hosts: "any"}`, gone, engine))
	before := l.State(Everything)
	if r := l.Apply(3); !strings.Contains(r.Out, "--allow-destroy db:"+gone) || l.State(Everything) != before {
		t.Fatalf("without a word from the operator:\n%s", r.Out)
	}
	l.Apply(0, "--allow-destroy", "db:"+gone)
	l.Settled()
	l.Read("db", 100, data)
	heads := l.Heads("db")
	if len(heads) != 2 || heads[gone] != "" {
		t.Fatalf("replicas are %v", heads)
	}
	l.Kill()
	l.Replicas(heads, 100, data)
}

// TestGrow grows a volume with data; the same host finds the old data and
// writes to the new end. It never shrinks.
func TestGrow(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 128Mi, replicas: 3, export: nvmf: hosts: "any"}`)
	l.Apply(0)
	old, end := Pattern(1, 128*mib), Pattern(2, 8*mib)
	l.Write("db", 0, old)
	reader := l.StartReader("db", 20)
	l.Configure(`db: {size: 512Mi, replicas: 3, export: nvmf: hosts: "any"}`)
	r := l.Apply(0)
	t.Logf("grown in %v: %s", r.Took, lastLine(r.Out))
	t.Logf("the host's longest read took %v", reader.Wait())
	l.Settled()
	l.Write("db", 504, end)
	l.Read("db", 0, old)
	l.Read("db", 504, end)

	l.Configure(`db: {size: 64Mi, replicas: 3, export: nvmf: hosts: "any"}`)
	if r := l.Apply(3); !strings.Contains(r.Out, "strata never shrinks a volume") {
		t.Fatal(r.Out)
	}
	l.Read("db", 504, end)
	heads := l.Heads("db")
	l.Kill()
	l.Replicas(heads, 504, end)
}

// TestGrowUnheard grows the legs of a volume in use while a link is away: the
// engine is not told when it is back, so the volume is started again, and its
// host finds the old data and the new end.
func TestGrowUnheard(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 128Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	old, end := Pattern(1, 128*mib), Pattern(2, 8*mib)
	l.Write("db", 0, old)
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	at := `{"nqn":"nqn.2026-01.io.strata:e2e:n2:n1","listen_address":{"trtype":"TCP","adrfam":"IPv4","traddr":"` + n2.Address + `","trsvcid":"` + n2.Port + `"}}`
	linked := func(state string) {
		t.Helper()
		Eventually(t, 10*time.Second, "the link is "+state, func() error {
			if list := string(n1.Must("bdev_nvme_get_controllers", `{}`)); !strings.Contains(list, `"`+state+`"`) {
				return wanted{list, state}
			}
			return nil
		})
	}
	n2.Must("nvmf_subsystem_remove_listener", at)
	linked("reconnect_is_delayed")
	for node, alias := range l.Heads("db") {
		l.Targets[node].Must("bdev_lvol_resize", fmt.Sprintf(`{"name":%q,"size_in_mib":512}`, alias))
	}
	n2.Must("nvmf_subsystem_add_listener", at)
	linked("enabled")

	reader := l.StartReader("db", 20)
	l.Configure(`db: {size: 512Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}`)
	if r := l.Strata("plan"); !strings.Contains(r.Out, "n1 did not hear that the replica on n2 grew to 512Mi") {
		t.Fatal(r.Out)
	}
	l.Apply(0)
	t.Logf("the host's longest read took %v", reader.Wait())
	l.Settled()
	l.Write("db", 504, end)
	l.Read("db", 0, old)
	l.Read("db", 504, end)
	heads := l.Heads("db")
	l.Kill()
	l.Replicas(heads, 0, old)
	l.Replicas(heads, 504, end)
}

// TestEngineMoves moves the engine of a volume with data: nothing is copied
// and every replica stays.
func TestEngineMoves(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 256Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	data, more := Pattern(1, 8*mib), Pattern(2, 8*mib)
	l.Write("db", 0, data)
	l.Configure(`db: {size: 256Mi, replicas: 3, engine: "n2", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	l.Settled()
	l.Write("db", 32, more)
	l.Read("db", 0, data)
	l.Read("db", 32, more)
	heads := l.Heads("db")
	if !strings.HasSuffix(heads["n2"], "p") {
		t.Errorf("heads are %v; the engine is on n2", heads)
	}
	l.Kill()
	l.Replicas(heads, 32, more)
}

// TestForeign makes, changes and destroys a volume beside what belongs to
// others, in the same lvstores too, and expects theirs to be as it was.
func TestForeign(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`{}`)
	l.Apply(0)
	n1, n2 := l.Targets["n1"], l.Targets["n2"]
	for _, name := range []string{"backup", "db.abc#1.2p", "DB.abcd#1.2p", "db.abcd#01.2p", "mirror-a", "mirror-b"} {
		n1.Must("bdev_lvol_create", fmt.Sprintf(`{"lvs_name":"e2e.fast","lvol_name":%q,"size_in_mib":64,"thin_provision":true}`, name))
	}
	n1.Must("bdev_lvol_snapshot", `{"lvol_name":"e2e.fast/backup","snapshot_name":"backup@monday"}`)
	n1.Must("bdev_raid_create", `{"name":"their.raid","raid_level":"raid1","base_bdevs":["e2e.fast/mirror-a","e2e.fast/mirror-b"]}`)
	n1.Must("bdev_null_create", `{"name":"null0","num_blocks":1024,"block_size":512}`)
	n1.Must("bdev_malloc_create", `{"name":"mem0","num_blocks":32768,"block_size":512}`)
	const nqn = "nqn.2026-01.io.strata:other:n1:n2"
	n1.Must("nvmf_create_transport", `{"trtype":"TCP"}`)
	n1.Must("nvmf_create_subsystem", `{"nqn":"`+nqn+`","allow_any_host":true}`)
	n1.Must("nvmf_subsystem_add_ns", `{"nqn":"`+nqn+`","namespace":{"bdev_name":"e2e.fast/backup"}}`)
	n1.Must("nvmf_subsystem_add_listener", `{"nqn":"`+nqn+`","listen_address":{"trtype":"TCP","adrfam":"IPv4","traddr":"127.0.0.1","trsvcid":"`+n1.Port+`"}}`)
	n2.Must("bdev_nvme_attach_controller", `{"name":"theirs","trtype":"TCP","adrfam":"IPv4","traddr":"127.0.0.1","trsvcid":"`+n1.Port+`","subnqn":"`+nqn+`"}`)

	before := l.State(Foreign)
	for _, name := range []string{"backup@monday", "their.raid", "theirsn1", "mem0", nqn} {
		if !strings.Contains(before, name) {
			t.Fatalf("%s is not listed:\n%s", name, before)
		}
	}
	same := func(after string) {
		t.Helper()
		if now := l.State(Foreign); now != before {
			t.Fatalf("what belongs to others changed when the volume was %s:\n%s\nwas:\n%s", after, now, before)
		}
	}
	l.Configure(`db: {size: 128Mi, replicas: 3, export: nvmf: hosts: "any"}`)
	l.Apply(0)
	same("made")
	l.Configure(`db: {size: 256Mi, replicas: 2, export: nvmf: hosts: ["` + HostNQN + `"]}`)
	l.Apply(0, "--allow-destroy", "db:n1", "--allow-destroy", "db:n2", "--allow-destroy", "db:n3")
	same("changed")
	l.Configure(`{}`)
	l.Apply(0, "--allow-destroy", "db")
	same("destroyed")
	if heads := l.Heads("db"); len(heads) != 0 {
		// The names that only look like heads are listed by Heads, too.
		for _, alias := range heads {
			if !strings.HasSuffix(alias, "/db.abcd#01.2p") && !strings.HasSuffix(alias, "/db.abc#1.2p") {
				t.Errorf("%s is left", alias)
			}
		}
	}
}
