package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// opTypes has one of each type of Op.
var opTypes = []Op{
	DiskAttach{}, DiskDetach{}, ExpectBlank{}, LvstoreCreate{}, LvstoreRename{}, Remind{}, Forget{}, TrialDelete{},
	LvolCreate{}, LvolResize{}, LvolRename{}, LvolDelete{}, LvolSnapshot{}, LvolClone{}, LvolDecouple{}, LvolCloneBdev{},
	LvolSetParent{}, ShallowCopy{}, WriteLimit{}, ExpectEmpty{},
	InitiatorOptions{}, TransportCreate{}, SubsystemCreate{}, SubsystemDelete{}, HostAllow{}, HostExchange{}, HostKeysSet{}, KeySend{}, LinkKeysMake{}, KeyAdd{}, KeyRemove{}, KeyErase{}, HostRefuse{}, Fence{}, AnyHost{},
	DiscoveryListen{}, Refer{}, ListenerAdd{}, ListenerRemove{}, ExpectPaths{}, NamespaceAdd{}, NamespaceRemove{}, ControllerAttach{}, ControllerKeysSet{}, AlternateAdd{}, AlternateRemove{}, ControllerDisable{}, ControllerDetach{},
	ControllerWait{}, LegWait{}, LegGone{}, Pause{}, Drain{}, Resume{},
	RaidCreate{}, LayOut{}, RaidDelete{}, ExpectLegs{}, RaidGrow{}, RaidRemoveLeg{}, HostLimit{}, UblkTarget{}, UblkStart{}, UblkStop{}, NBDStart{}, NBDStop{},
	KeyCheck{}, KeyExpect{}, CipherCreate{}, CipherDelete{}, KeyForget{}, KeyedCreate{}, MirrorApart{}, LegFill{},
	NodeOff{}, ExpectAddress{}, AddressMove{}, Backup{}, Fill{}, ImageAttach{}, ImageDetach{}, Scrub{}, Compare{}, ExpectUnused{}, Trim{}, RecordForget{}, ArchivePrune{},
}

// OpNames are what steps' operations are called in an Outline.
func OpNames() []string {
	var names []string
	for _, op := range opTypes {
		names = append(names, opName(op))
	}
	return names
}

// DecodeOp is the inverse of opName and json.Marshal.
func DecodeOp(name string, params json.RawMessage) (Op, error) {
	for _, op := range opTypes {
		if opName(op) != name {
			continue
		}
		p := reflect.New(reflect.TypeOf(op))
		dec := json.NewDecoder(bytes.NewReader(params))
		dec.DisallowUnknownFields()
		if err := dec.Decode(p.Interface()); err != nil {
			return nil, fmt.Errorf("the parameters of its operation %s cannot be read: %w", name, err)
		}
		return p.Elem().Interface().(Op), nil
	}
	return nil, fmt.Errorf("no operation is called %q", name)
}
