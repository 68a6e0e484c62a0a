package sim

import (
	"fmt"
	"slices"
)

// Profile is a build of SPDK: what it calls itself and where it differs.
type Profile struct {
	Name     string
	version  string
	firmware string
	nvme     string // the version of NVMe that controllers claim
	// nameMax is how many bytes the name of an lvol or lvstore may have.
	nameMax int
	// oneBase: bdev_raid_create takes a single base.
	oneBase bool
	// recent: listings have the members that came after v24.09.
	recent bool
	// batches: an array of requests is answered; else it is refused as no request.
	batches bool
	// answersEnded: a client that sends nothing more is answered nonetheless; else
	// only what can be answered at once.
	answersEnded bool
	// renamesSnapshots: what is read-only may be renamed, but the new name is not
	// on the disk when the call is answered.
	renamesSnapshots bool
	// creationTime: bdevs and lvols carry creation_time.
	creationTime bool
	// deltaBitmaps: RAIDs list whether they keep track of a lost leg.
	deltaBitmaps bool
	// hangsOnTimeout: a command to a hung peer that times out makes the whole
	// target wait for that peer.
	hangsOnTimeout bool
	// blocksConnecting: the whole target waits while it connects to an address
	// from which nothing comes back, and such an attempt makes it forget since
	// when it has been without the peer.
	blocksConnecting bool
	// listenersWait: to take a listener away is answered once nothing is
	// outstanding in the subsystem. A namespace that goes meanwhile ends the
	// target when that I/O ends.
	listenersWait bool
	// eventsTellAll: at an event an initiator looks at all namespaces again, not
	// only at those that the event is about.
	eventsTellAll bool
	// zeroesClusters: a newly allocated cluster reads zeroes where it was not written.
	zeroesClusters bool
	// without lists methods that the build does not have.
	without map[string]bool
	// params is how parameters differ from those that are published.
	params map[string]paramChange
}

// paramChange is parameters that a method has and lacks in a build.
type paramChange struct {
	with    []field
	without []string
}

// ParseProfile finds a build by its name, or the name of its origin.
func ParseProfile(name string) (Profile, error) {
	switch name {
	case "stock", Stock.Name:
		return Stock, nil
	case "longhorn", Longhorn.Name:
		return Longhorn, nil
	}
	return Profile{}, fmt.Errorf("there is no profile %q; there are stock (%s) and longhorn (%s)", name, Stock.Name, Longhorn.Name)
}

// Stock is SPDK v26.05 as released.
var Stock = Profile{
	Name:           "v26.05",
	version:        `{"version":"SPDK v26.05 git sha1 d519b163cb","fields":{"major":26,"minor":5,"patch":0,"suffix":"","commit":"d519b163cb"}}`,
	firmware:       "26.05",
	nvme:           "2.0",
	nameMax:        63,
	recent:         true,
	batches:        true,
	hangsOnTimeout: true,
	without:        methodSet("bdev_raid_grow_base_bdev", "bdev_lvol_set_xattr", "bdev_lvol_get_xattr", "bdev_lvol_detach_parent"),
}

// Longhorn is branch longhorn-v24.09 of Longhorn's fork.
var Longhorn = Profile{
	Name:             "longhorn-v24.09",
	version:          `{"version":"SPDK v24.09.1-pre git sha1 1975133e9","fields":{"major":24,"minor":9,"patch":1,"suffix":"-pre","commit":"1975133e9"}}`,
	firmware:         "24.09.1",
	nvme:             "1.3",
	nameMax:          255,
	oneBase:          true,
	creationTime:     true,
	deltaBitmaps:     true,
	zeroesClusters:   true,
	answersEnded:     true,
	renamesSnapshots: true,
	blocksConnecting: true,
	listenersWait:    true,
	eventsTellAll:    true,
	params: map[string]paramChange{
		"bdev_aio_create":             {without: []string{"nowait"}},
		"bdev_get_iostat":             {with: optional("name", "string"), without: []string{"names", "reset_mode"}},
		"bdev_lvol_create_lvstore":    {without: []string{"md_page_size"}},
		"bdev_lvol_snapshot":          {with: optional("xattrs", "strings")},
		"bdev_malloc_create":          {without: []string{"numa_id"}},
		"bdev_nvme_attach_controller": {without: []string{"multipath_opts"}},
		"bdev_nvme_set_options":       {without: []string{"rdma_umr_per_io", "tcp_connect_timeout_ms", "enable_flush", "multipath_opts"}},
		"bdev_null_create": {without: []string{"preferred_write_granularity", "preferred_write_alignment", "optimal_write_size",
			"preferred_unmap_granularity", "preferred_unmap_alignment"}},
		"bdev_raid_create":           {with: optional("delta_bitmap", "boolean")},
		"bdev_raid_delete":           {without: []string{"clear_sb"}},
		"nvmf_create_subsystem":      {without: []string{"dmrsl", "wzsl", "enable_nssr"}},
		"nvmf_subsystem_remove_host": {without: []string{"timeout_ms"}},

		"bdev_raid_grow_base_bdev": {with: required("raid_name", "base_name")},
		"bdev_lvol_set_xattr":      {with: required("name", "xattr_name", "xattr_value")},
		"bdev_lvol_get_xattr":      {with: required("name", "xattr_name")},
		"bdev_lvol_detach_parent":  {with: required("name")},
	},
}

func methodSet(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

func optional(name, kind string) []field { return []field{{Name: name, Type: kind}} }

func required(names ...string) []field {
	fields := make([]field, len(names))
	for i, n := range names {
		fields[i] = field{Name: n, Type: "string", Required: true}
	}
	return fields
}

// parameters are those of a method in this build.
func (p *Profile) parameters(method string) []field {
	fields := schema().Methods[method]
	change, ok := p.params[method]
	if !ok {
		return fields
	}
	fields = slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return slices.Contains(change.without, f.Name) })
	return append(fields, change.with...)
}
