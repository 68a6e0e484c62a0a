package spdk

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// meaning is what each error that real targets answered must be taken for.
var meaning = map[string]Class{
	"bdev_aio_create -17 File exists":                                          Exists,
	"bdev_aio_create -2 No such file or directory":                             NotFound,
	"bdev_get_bdevs -19 No such device":                                        NotFound,
	"bdev_lvol_check_shallow_copy -19 No such device":                          NotFound,
	"bdev_lvol_clone -32602 Invalid argument":                                  Invalid,
	"bdev_lvol_create -17 File exists":                                         Exists,
	"bdev_lvol_create -19 No such device":                                      NotFound,
	"bdev_lvol_create -22 Invalid argument":                                    Invalid,
	"bdev_lvol_create -32602 No space left on device":                          NoSpace,
	"bdev_lvol_create_lvstore -1 Operation not permitted":                      NotPermitted,
	"bdev_lvol_create_lvstore -19 No such device":                              NotFound,
	"bdev_lvol_decouple_parent -32602 Invalid argument":                        Invalid,
	"bdev_lvol_delete -19 No such device":                                      NotFound,
	"bdev_lvol_delete -32603 Operation not permitted":                          NotPermitted,
	"bdev_lvol_delete_lvstore -19 No such device":                              NotFound,
	"bdev_lvol_inflate -32602 Invalid argument":                                Invalid,
	"bdev_lvol_rename -19 No such device":                                      NotFound,
	"bdev_lvol_rename -32602 File exists":                                      Exists,
	"bdev_lvol_resize -19 No such device":                                      NotFound,
	"bdev_lvol_set_parent -19 No such device":                                  NotFound,
	"bdev_lvol_set_parent -32602 Invalid argument":                             Invalid,
	"bdev_lvol_snapshot -19 No such device":                                    NotFound,
	"bdev_lvol_snapshot -32602 File exists":                                    Exists,
	"bdev_lvol_start_shallow_copy -19 No such device":                          NotFound,
	"bdev_lvol_start_shallow_copy -32602 No such device":                       NotFound,
	"accel_crypto_key_create -32602 failed to create DEK, rc -17":              Exists,
	"accel_crypto_key_destroy -32602 No key object found":                      NotFound,
	"bdev_crypto_create -32602 Key was not found":                              NotFound,
	"bdev_null_create -17 File exists":                                         Exists,
	"bdev_null_delete -19 No such device":                                      NotFound,
	"bdev_null_resize -19 No such device":                                      NotFound,
	"bdev_null_resize -22 Invalid argument":                                    Invalid,
	"bdev_nvme_attach_controller -5 Input/output error":                        Other,
	"bdev_nvme_detach_controller -19 No such device":                           NotFound,
	"bdev_raid_create -17 Failed to create RAID bdev db: File exists":          Exists,
	"bdev_raid_create -22 Failed to create RAID bdev db: Invalid argument":     Invalid,
	"bdev_raid_delete -19 raid bdev db not found":                              NotFound,
	"bdev_raid_remove_base_bdev -19 Failed to remove base bdev from raid bdev": NotFound,
	"nvmf_create_subsystem -32603 Unable to create subsystem bad":              Other,
	"nvmf_create_transport -32603 Transport type 'TCP' already exists":         Exists,
	"nvmf_delete_subsystem -32602 Invalid parameters":                          Invalid,
	"nvmf_subsystem_add_host -32603 Internal error":                            Other,
	"nvmf_subsystem_add_listener -32602 Invalid parameters":                    Invalid,
	"nvmf_subsystem_add_ns -32602 Invalid parameters":                          Invalid,
	"nvmf_subsystem_remove_listener -32602 Invalid parameters":                 Invalid,
	"nvmf_subsystem_remove_ns -32602 Invalid parameters":                       Invalid,

	"nvmf_create_subsystem -32603 Unable to create subsystem nqn.2026-01.io.example:db.n2":                     Other,
	"bdev_nvme_attach_controller -114 A controller named db.n2 already exists with the specified network path": Exists,
	"bdev_raid_add_base_bdev -22 Failed to add base bdev db.n2n1 to RAID bdev db: Invalid argument":            Invalid,
}

func TestClassOfEveryRecordedError(t *testing.T) {
	for _, file := range transcripts {
		for _, x := range transcript(t, file) {
			e := x.Response.Error
			if e == nil {
				continue
			}
			key := fmt.Sprintf("%s %d %s", x.Request.Method, e.Code, e.Message)
			want, ok := meaning[key]
			if !ok {
				t.Errorf("%s: no meaning given for %q", file, key)
				continue
			}
			if got := classify(x.Request.Method, e.Code, e.Message); got != want {
				t.Errorf("%q is %v, want %v", key, got, want)
			}
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		method  string
		code    int
		message string
		want    Class
	}{
		{"bdev_raid_grow_base_bdev", -32601, "Method not found", Unsupported},
		{"bdev_lvol_delete", -32603, "Device or resource busy", Busy},
		{"bdev_lvol_start_shallow_copy", -32602, "Operation not permitted", NotPermitted},
		{"bdev_lvol_set_parent", -32602, "File exists", Exists},
		{"bdev_lvol_set_parent", -17, "File exists", Exists},
		{"bdev_lvol_create", -28, "No space left on device", NoSpace},
		{"bdev_nvme_attach_controller", -12, "Cannot allocate memory", NoSpace},
		{"bdev_nvme_set_options", -1, "RPC not permitted with nvme controllers attached", NotPermitted},
		{"bdev_nvme_detach_controller", -110, "Connection timed out", Other},
		{"nvmf_subsystem_set_ns_ana_group", -114, "Operation already in progress", Busy},
		{"bdev_lvol_create", -32602, "something new", Invalid},
		{"bdev_lvol_create", -32603, "something new", Other},
		{"bdev_lvol_create", -32603, "spdk_json_decode_object failed", Invalid},
		{"bdev_raid_create", -32700, "spdk_json_decode_object failed", Invalid},
		{"bdev_wait_for_examine", -32602, "bdev_wait_for_examine requires no parameters", Invalid},
		{"bdev_nvme_get_controllers", -22, "Controller x does not exist", NotFound},
		{"bdev_set_qos_limit", -22, "No rate limits specified", Invalid},
		{"bdev_lvol_rename", -32602, "Operation not permitted", NotPermitted},
		{"bdev_raid_create", -1, "Failed to create RAID bdev r: Operation not permitted", NotPermitted},
		{"bdev_raid_add_base_bdev", -19, "raid bdev zz is not found in config", NotFound},
		{"nvmf_subsystem_listener_set_ana_state", -32603, "error setting ANA state: -22", Invalid},
		{"nvmf_subsystem_listener_set_ana_state", -32603, "error setting ANA state: -5", Other},
		{"nvmf_subsystem_listener_set_ana_state", -32602, "Unable to find subsystem with NQN nqn.2026-01.io.x:zz", NotFound},
		{"nvmf_create_transport", -32602, "Invalid transport type 'FOO'", Invalid},
		{"nvmf_subsystem_remove_host", -32603, "Internal error", Other},
	} {
		if got := classify(c.method, c.code, c.message); got != c.want {
			t.Errorf("%s %d %q is %v, want %v", c.method, c.code, c.message, got, c.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	for want, err := range map[string]error{
		"bdev_lvol_create lab.fast/db.k3f7#1: no space left on device": NewReq(LvolCreate{LvsName: "lab.fast", LvolName: "db.k3f7#1"}, nil).encoded(t).refused(-28, "No space left on device"),
		"bdev_nvme_set_options: RPC not permitted":                     NewReq(NVMeOptions{}, nil).encoded(t).refused(-1, "RPC not permitted"),
		"bdev_get_bdevs: error -5":                                     GetBdevs(nil).refused(-5, ""),
		"bdev_get_bdevs: not sent: no route":                           GetBdevs(nil).fail(Unreachable, errors.New("no route")),
		"bdev_get_bdevs: outcome unknown: context canceled":            GetBdevs(nil).fail(Unknown, context.Canceled),
	} {
		if err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

func TestClassOfWrapped(t *testing.T) {
	err := fmt.Errorf("node n2: %w", GetBdevs(nil).fail(Unknown, context.DeadlineExceeded))
	if ClassOf(err) != Unknown || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is %v", err, ClassOf(err))
	}
	if ClassOf(nil) != Other || ClassOf(errors.New("x")) != Other {
		t.Error("a foreign error has a class")
	}
}

func (r *Req) encoded(t *testing.T) *Req {
	t.Helper()
	if err := r.encode(); err != nil {
		t.Fatal(err)
	}
	return r
}
