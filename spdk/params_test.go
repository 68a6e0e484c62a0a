package spdk

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

var transcripts = []string{"stock-v26.05.jsonl", "longhorn-v24.09.jsonl", "join-third-replica-v26.05.jsonl"}

// paramsOf has every method's parameters.
var paramsOf = func() map[string]Params {
	m := make(map[string]Params)
	for _, p := range []Params{
		BdevGet{}, IostatGet{}, QoSLimit{},
		AIOCreate{}, AIODelete{}, UringCreate{}, UringDelete{}, MallocCreate{}, MallocDelete{}, NullCreate{}, NullDelete{}, KeyCreate{}, KeyDestroy{}, CryptoCreate{}, CryptoDelete{},
		LvstoreCreate{}, LvstoreRename{}, LvolCreate{}, LvolDelete{}, LvolRename{}, LvolResize{}, LvolSnapshot{}, LvolClone{}, LvolCloneBdev{},
		LvolSetParent{}, LvolDecoupleParent{}, LvolInflate{}, StartShallowCopy{}, CheckShallowCopy{},
		NVMeOptions{}, AttachController{}, DetachController{}, DisableController{},
		RaidCreate{}, RaidDelete{}, RaidRemoveBase{}, RaidGrowBase{}, RaidGet{},
		TransportCreate{}, SubsystemCreate{}, SubsystemGet{}, SubsystemDelete{}, NamespaceAdd{}, NamespaceRemove{}, SetANAGroup{},
		HostAdd{}, HostRemove{}, HostKeysSet{}, KeyAdd{}, KeyRemove{}, ReferralAdd{}, AllowAnyHost{},
		ListenerAdd{}, ListenerRemove{}, SetANAState{}, ListenersGet{},
		UblkStart{}, UblkStop{}, NbdStart{}, NbdStop{},
	} {
		m[p.Method()] = p
	}
	return m
}()

// Methods recorded that this package has no use for.
var unusedMethods = map[string]bool{
	"bdev_lvol_delete_lvstore": true, "bdev_raid_add_base_bdev": true,
}

// What was sent to real targets can be said in this package's types, and comes
// out as it was.
func TestParamsSayWhatWasRecorded(t *testing.T) {
	for _, file := range transcripts {
		for _, x := range transcript(t, file) {
			if x.Request.Params == nil || unusedMethods[x.Request.Method] {
				continue
			}
			p := paramsOf[x.Request.Method]
			if p == nil {
				t.Errorf("%s: no parameters for %s", file, x.Request.Method)
				continue
			}
			v := reflect.New(reflect.TypeOf(p))
			dec := json.NewDecoder(bytes.NewReader(x.Request.Params))
			dec.DisallowUnknownFields()
			if err := dec.Decode(v.Interface()); err != nil {
				t.Errorf("%s: %s %s: %v", file, x.Request.Method, x.Request.Params, err)
				continue
			}
			r := NewReq(v.Elem().Interface().(Params), nil).encoded(t)
			if got, want := tree(t, r.raw), tree(t, x.Request.Params); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s came out as %v, was %v", file, x.Request.Method, got, want)
			}
		}
	}
}

func tree(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return v
}

func TestNoParamsForNone(t *testing.T) {
	for _, r := range []*Req{GetBdevs(nil), NewReq(NVMeOptions{}, nil), {Method: "x", Params: map[string]any(nil)}} {
		if r.encoded(t); r.raw != nil {
			t.Errorf("%s sends %s", r.Method, r.raw)
		}
	}
}

// Every method that has parameters here exists in a build that was recorded,
// but for those of modules that these builds were made without.
func TestMethodsExist(t *testing.T) {
	known := Methods{}
	for _, file := range transcripts {
		for _, x := range transcript(t, file) {
			if x.Request.Method == getMethods {
				var m Methods
				decodeInto(t, &m, string(x.Response.Result))
				for name := range m {
					known[name] = struct{}{}
				}
			}
		}
	}
	for name := range paramsOf {
		if module, _, _ := strings.Cut(name, "_"); !known.Has(name) && module != "ublk" && !strings.HasPrefix(name, "bdev_uring_") && !strings.HasPrefix(name, "bdev_crypto_") {
			t.Errorf("no build has %s", name)
		}
	}
}
