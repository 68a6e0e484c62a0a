package spdk

import (
	"encoding/json"
	"reflect"
	"testing"
)

// resultOf makes what each method's result is decoded into.
var resultOf = map[string]func() any{
	"bdev_get_bdevs":               func() any { return new([]Bdev) },
	"bdev_lvol_get_lvols":          func() any { return new([]Lvol) },
	"bdev_lvol_get_lvstores":       func() any { return new([]Lvstore) },
	"bdev_lvol_check_shallow_copy": func() any { return new(ShallowCopy) },
	"bdev_lvol_start_shallow_copy": func() any { return new(ShallowCopyOp) },
	"bdev_nvme_attach_controller":  func() any { return new([]string) },
	"bdev_nvme_get_controllers":    func() any { return new([]Controller) },
	"bdev_raid_get_bdevs":          func() any { return new([]Raid) },
	"nvmf_get_subsystems":          func() any { return new([]Subsystem) },
	"nvmf_get_transports":          func() any { return new([]Transport) },
	"nvmf_subsystem_get_listeners": func() any { return new([]Listener) },
	"nvmf_subsystem_add_ns":        func() any { return new(uint32) },
	"rpc_get_methods":              func() any { return new(Methods) },
	"spdk_get_version":             func() any { return new(Version) },
}

// Every recorded result decodes as package encoding/json understands it.
func TestResultsDecodeAsRecorded(t *testing.T) {
	for _, file := range allTranscripts(t) {
		for _, x := range transcript(t, file) {
			make := resultOf[x.Request.Method]
			if make == nil || x.Response.Result == nil {
				continue
			}
			got, want := make(), make()
			c := &call{req: &Req{Method: x.Request.Method, Result: got}}
			if err := c.answer(envelope{result: x.Response.Result}, nil); err != nil || c.err != nil {
				t.Errorf("%s: %s: %v, %v", file, x.Request.Method, err, c.err)
			}
			if err := json.Unmarshal(x.Response.Result, want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s:\ngot  %+v\nwant %+v", file, x.Request.Method, got, want)
			}
		}
	}
}

func decodeInto(t *testing.T, out any, s string) {
	t.Helper()
	c := &call{req: &Req{Method: "m", Result: out}}
	if err := c.answer(envelope{result: []byte(s)}, nil); err != nil || c.err != nil {
		t.Fatal(err, c.err)
	}
}

func TestEmptySlotOfRaid(t *testing.T) {
	var raids []Raid
	decodeInto(t, &raids, `[{"name":"db","state":"online","base_bdevs_list":[
		{"name":"a","uuid":"u","is_configured":true},{"name":null,"uuid":"0","is_configured":false}],
		"process":{"type":"rebuild","target":"a","progress":{"blocks":2560,"percent":12}}}]`)
	want := []RaidBase{{"a", "u", true}, {"", "0", false}}
	if !reflect.DeepEqual(raids[0].Bases, want) || raids[0].Process.Progress.Percent != 12 {
		t.Errorf("%+v", raids[0])
	}
}

func TestAllocatedClustersMayBeUnsaid(t *testing.T) {
	var lvols []Lvol
	decodeInto(t, &lvols, `[{"name":"a"},{"name":"b","num_allocated_clusters":0}]`)
	if lvols[0].NumAllocatedClusters != nil || lvols[1].NumAllocatedClusters == nil {
		t.Errorf("%+v", lvols)
	}
}

func TestListenerState(t *testing.T) {
	l := Listener{ANA: []ANAGroup{{1, Optimized}, {2, Inaccessible}}}
	if l.State(2) != Inaccessible || l.State(3) != "" {
		t.Error(l.State(2), l.State(3))
	}
}
