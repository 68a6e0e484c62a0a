package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAdopt takes over an lvol that was made by hand, with a snapshot below it
// and a host that uses it, gives it a second replica while a host writes, and
// finds the configuration again when that is lost.
func TestAdopt(t *testing.T) {
	l := NewLab(t, gib)
	n1 := l.Targets["n1"]
	l.Configure(`{}`, "n1")
	l.Apply(0)

	const nqn = "nqn.2016-06.com.example:old.disk"
	listen := fmt.Sprintf(`{"nqn":%q,"listen_address":{"trtype":"TCP","adrfam":"IPv4","traddr":%q,"trsvcid":%q}}`, nqn, n1.Address, n1.Port)
	n1.Must("nvmf_create_transport", `{"trtype":"TCP"}`)
	n1.Must("bdev_aio_create", fmt.Sprintf(`{"name":"aio0","filename":%q,"block_size":4096}`, n1.Disk))
	n1.Must("bdev_lvol_create_lvstore", `{"bdev_name":"aio0","lvs_name":"lvs0","cluster_sz":1048576}`)
	n1.Must("bdev_lvol_create", `{"lvs_name":"lvs0","lvol_name":"old","size_in_mib":64,"thin_provision":true}`)
	n1.Must("nvmf_create_subsystem", `{"nqn":"`+nqn+`","allow_any_host":true}`)
	n1.Must("nvmf_subsystem_add_ns", `{"nqn":"`+nqn+`","namespace":{"bdev_name":"lvs0/old"}}`)
	n1.Must("nvmf_subsystem_add_listener", listen)
	a, b := Pattern(1, 16*mib), Pattern(2, 8*mib)
	old := []call{{"bdev_nvme_attach_controller", map[string]any{
		"name": "host", "trtype": "TCP", "adrfam": "IPv4", "traddr": n1.Address, "trsvcid": n1.Port, "subnqn": nqn, "hostnqn": HostNQN,
	}}}
	l.write(old, 8, a)
	n1.Must("bdev_lvol_snapshot", `{"lvol_name":"lvs0/old","snapshot_name":"monday"}`)
	l.write(old, 16, b)

	// Found, and not touched.
	found := filepath.Join(l.Dir, "found.cue")
	if r := l.Strata("import", "--out", found); r.Code != 0 || !strings.Contains(r.Out+read(t, found), "lvs0/old") {
		t.Fatalf("import ended with %d:\n%s\n%s", r.Code, r.Out, read(t, found))
	}

	// Made whole while its host may go on; renamed once that has let it go.
	db := func(replicas int) string {
		return fmt.Sprintf(`db: {size: 64Mi, replicas: %d, engine: "n1", adopt: {node: "n1", head: "lvs0/old"}, export: nvmf: hosts: "any"}
nodes: n1: pools: fast: {aio: %q, lvstore: "lvs0"}`, replicas, n1.Disk)
	}
	l.Configure(db(1), "n1")
	if r := l.Apply(3); !strings.Contains(r.Out, "rpc.py nvmf_subsystem_remove_ns "+nqn+" 1") {
		t.Fatalf("a host has it still:\n%s", r.Out)
	}
	l.compare(old, "hostn1", 8, a[:8*mib], "what the host has")
	l.compare(old, "hostn1", 16, b, "what the host has")
	n1.Must("nvmf_subsystem_remove_ns", `{"nqn":"`+nqn+`","nsid":1}`)
	r := l.Apply(0)
	t.Logf("adopted in %v: %s", r.Took, lastLine(r.Out))
	l.Settled()
	l.Read("db", 8, a[:8*mib])
	l.Read("db", 16, b)

	w := l.StartWriter("db", 40, 4, 4)
	l.Configure(db(2), "n1")
	r = l.Apply(0)
	t.Logf("two replicas in %v: %s; %v", r.Took, lastLine(r.Out), w.Stop())
	l.Settled()
	l.Read("db", 8, a[:8*mib])
	l.Read("db", 16, b)

	// The configuration is lost but for where the nodes are.
	if err := os.Remove(found); err != nil {
		t.Fatal(err)
	}
	l.Configure(`{}`, l.names...)
	if r := l.Strata("import", "--out", found); r.Code != 0 {
		t.Fatalf("import ended with %d:\n%s\n%s", r.Code, r.Out, read(t, found))
	}
	if r := l.Strata("plan", "--detailed-exitcode", found); r.Code != 0 {
		t.Fatalf("what import wrote is not what there is:\n%s\n%s", r.Out, read(t, found))
	}
	stacks := l.Stacks("db")
	l.Kill()
	if n := l.SameStacks(stacks, nil); n != 2 {
		t.Errorf("%d lvols were compared: %v", n, stacks)
	}
	if lvols := fmt.Sprint(stacks); strings.Contains(lvols, "monday") {
		t.Errorf("the foreign snapshot is part of the volume: %s", lvols)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
