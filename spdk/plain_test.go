package spdk

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
)

// checkPlain compares the decoding by hand with package json's. What is not
// plain must be refused; of invalid JSON either may be.
func checkPlain(t *testing.T, b []byte, got, want any) (plain bool) {
	t.Helper()
	if !plainResult(b, got) {
		return false
	}
	if json.Unmarshal(b, want, decoding) == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%s\ngot  %+v\nwant %+v", b, got, want)
	}
	return true
}

func TestPlainIsJSON(t *testing.T) {
	for _, file := range allTranscripts(t) {
		for _, x := range transcript(t, file) {
			b, ok := x.Response.Result, true
			if b == nil {
				continue
			}
			switch x.Request.Method {
			case "bdev_get_bdevs":
				ok = checkPlain(t, b, new([]Bdev), new([]Bdev))
			case "bdev_lvol_get_lvols":
				ok = checkPlain(t, b, new([]Lvol), new([]Lvol))
			case "nvmf_subsystem_get_listeners":
				ok = checkPlain(t, b, new([]Listener), new([]Listener))
			case "nvmf_get_subsystems":
				ok = checkPlain(t, b, new([]Subsystem), new([]Subsystem))
			case "bdev_raid_get_bdevs":
				ok = checkPlain(t, b, new([]Raid), new([]Raid))
			}
			// Names outside ASCII are escaped, which is left to package json.
			if escaped := bytes.Contains(b, []byte(`\u`)); !ok && !escaped {
				t.Errorf("%s: %s is not taken for plain: %s", file, x.Request.Method, b)
			}
		}
	}
}

func TestNotPlain(t *testing.T) {
	for _, s := range []string{
		``, `{}`, `null`, `[`, `[{}`, `[{}]]`, `[{},]`, `[{"name":1}]`, `[{"name":null}]`, `[{"name":"a\u0041"}]`, `[{"name":"ä"}]`,
		`[{"num_blocks":-1}]`, `[{"num_blocks":1.5}]`, `[{"num_blocks":1e3}]`, `[{"num_blocks":01}]`, `[{"num_blocks":1 2}]`,
		`[{"num_blocks":99999999999999999999}]`, `[{"block_size":4294967296}]`, `[{"claimed":truex}]`, `[{"claimed":1}]`,
		`[{"x":}]`, `[{"x":[}]`, `[{"x":"}]`, `[{"name""a"}]`, `[{"driver_specific":{"raid":{"name":1}}}]`,
	} {
		out := []Bdev{{Name: "before"}}
		if plainResult([]byte(s), &out) {
			t.Errorf("%s is taken for plain", s)
		}
		if len(out) != 1 || out[0].Name != "before" {
			t.Errorf("%s: %v", s, out)
		}
	}
}

func TestSkippedMembersMayBeAnything(t *testing.T) {
	var out []Bdev
	if s := `[ { "a" : "\"}]" , "b":[{"c":["]\\"]}], "d": -1.5e3 ,"e":null,"name" : "n" } ]`; !plainResult([]byte(s), &out) || out[0].Name != "n" {
		t.Error(out)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte(`[{"name":"a","aliases":["b"],"num_blocks":8,"driver_specific":{"lvol":{"clones":["c"]},"nvme":[{"ns_data":{"id":1}}]}}]`))
	f.Add([]byte(`[{"name":"a","supported_io_types":{"read":true,"unmap":true}},{"supported_io_types":{}}]`))
	f.Add([]byte(`[{"alias":"l/a","lvs":{"name":"l","uuid":"u"},"num_allocated_clusters":0,"is_clone":true}]`))
	f.Add([]byte(`[{"address":{"trtype":"TCP"},"ana_states":[{"ana_group":1,"ana_state":"optimized"}]}]`))
	f.Add([]byte(`[{"x":"\"","driver_specific":{"raid":{"base_bdevs_list":[{"name":null}]}}},{}]`))
	f.Add([]byte(`[{"nqn":"n","hosts":[{"nqn":"h"}],"listen_addresses":[{"traddr":"a"}],"namespaces":[{"nsid":1,"bdev_name":"b","uuid":"b"}]}]`))
	f.Add([]byte(`[{"name":"r","superblock":false,"base_bdevs_list":[{"name":"b","uuid":"b","is_configured":true}]},{"process":{}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkPlain(t, b, new([]Bdev), new([]Bdev))
		checkPlain(t, b, new([]Lvol), new([]Lvol))
		checkPlain(t, b, new([]Listener), new([]Listener))
		checkPlain(t, b, new([]Subsystem), new([]Subsystem))
		checkPlain(t, b, new([]Raid), new([]Raid))
	})
}
