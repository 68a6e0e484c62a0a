package contract

import (
	"slices"
)

// What targets list, as far as cases look at it.

type bdevInfo struct {
	Name    string
	Aliases []string
	UUID    string
	Block   int64  `json:"block_size"`
	Blocks  int64  `json:"num_blocks"`
	Claimed bool   `json:"claimed"`
	Claim   string `json:"claim_type"`
	Limits  struct {
		IOPS  int64 `json:"rw_ios_per_sec"`
		Read  int64 `json:"r_mbytes_per_sec"`
		Write int64 `json:"w_mbytes_per_sec"`
	} `json:"assigned_rate_limits"`
	IO     map[string]bool `json:"supported_io_types"`
	Driver struct {
		AIO struct {
			Fallocate bool `json:"fallocate"`
		} `json:"aio"`
		Crypto struct {
			Base string `json:"base_bdev_name"`
			Key  string `json:"key_name"`
		}
		Lvol struct {
			Clusters int      `json:"num_allocated_clusters"`
			Base     string   `json:"base_snapshot"`
			Clones   []string `json:"clones"`
			Snapshot bool     `json:"snapshot"`
			Esnap    string   `json:"external_snapshot_name"`
		}
	} `json:"driver_specific"`
}

func (b bdevInfo) mib() int64 { return b.Block * b.Blocks >> 20 }

// bdev is a bdev that has to be there, by name, alias or UUID.
func (n *node) bdev(name string) bdevInfo {
	n.c.Helper()
	var l []bdevInfo
	n.into(&l, "bdev_get_bdevs", M{"name": name})
	return l[0]
}

// has says whether there is a bdev.
func (n *node) has(name string) bool {
	n.c.Helper()
	a, err := n.call("bdev_get_bdevs", M{"name": name})
	if err != nil || a.code != 0 && a.code != -19 {
		n.c.Fatalf("%s: bdev_get_bdevs %s: %s %v", n.name, name, a, err)
	}
	return a.code == 0
}

type lvolInfo struct {
	Alias    string
	Name     string
	UUID     string
	Snapshot bool `json:"is_snapshot"`
	Clone    bool `json:"is_clone"`
	Esnap    bool `json:"is_esnap_clone"`
	Degraded bool `json:"is_degraded"`
}

// stores lists lvstores with their base bdevs, in the order they came.
func (n *node) stores() []string {
	n.c.Helper()
	var l []struct {
		Name string
		Base string `json:"base_bdev"`
	}
	n.into(&l, "bdev_lvol_get_lvstores", nil)
	names := []string{}
	for _, s := range l {
		names = append(names, s.Name+" on "+s.Base)
	}
	return names
}

// aliases lists the lvols that bdev_lvol_get_lvols has.
func (n *node) aliases() []string {
	n.c.Helper()
	var l []lvolInfo
	n.into(&l, "bdev_lvol_get_lvols", nil)
	names := []string{}
	for _, v := range l {
		names = append(names, v.Alias)
	}
	slices.Sort(names)
	return names
}

// lvols lists lvols by their names in the lvstore.
func (n *node) lvols() map[string]lvolInfo {
	n.c.Helper()
	var l []lvolInfo
	n.into(&l, "bdev_lvol_get_lvols", nil)
	m := map[string]lvolInfo{}
	for _, v := range l {
		m[v.Name] = v
	}
	return m
}

func (n *node) lvolNames() []string {
	n.c.Helper()
	names := []string{}
	for name := range n.lvols() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type raidInfo struct {
	Name        string
	UUID        string
	State       string
	Level       string `json:"raid_level"`
	Strip       int    `json:"strip_size_kb"`
	Bases       int    `json:"num_base_bdevs"`
	Discovered  int    `json:"num_base_bdevs_discovered"`
	Operational int    `json:"num_base_bdevs_operational"`
	Process     *struct {
		Type   string
		Target string
	}
	List []struct {
		Name       *string
		UUID       string
		Configured bool `json:"is_configured"`
	} `json:"base_bdevs_list"`
}

// bases are the names of what is in its slots; "" for an empty one.
func (r raidInfo) bases() (names []string) {
	for _, b := range r.List {
		name := ""
		if b.Name != nil {
			name = *b.Name
		}
		names = append(names, name)
	}
	return names
}

func (n *node) raids() []raidInfo {
	n.c.Helper()
	var l []raidInfo
	n.into(&l, "bdev_raid_get_bdevs", M{"category": "all"})
	return l
}

// raid is the only RAID there is.
func (n *node) raid() raidInfo {
	n.c.Helper()
	l := n.raids()
	if len(l) != 1 {
		n.c.Fatalf("%s: %d RAIDs, want one", n.name, len(l))
	}
	return l[0]
}

// controllers maps names to states.
func (n *node) controllers() map[string]string {
	n.c.Helper()
	var l []struct {
		Name   string
		Ctrlrs []struct{ State string }
	}
	n.into(&l, "bdev_nvme_get_controllers", nil)
	m := map[string]string{}
	for _, ct := range l {
		m[ct.Name] = ct.Ctrlrs[0].State
	}
	return m
}

type namespaceInfo struct {
	ID    int    `json:"nsid"`
	Bdev  string `json:"bdev_name"`
	UUID  string
	NGUID string
	Group int `json:"anagrpid"`
}

type subsystemInfo struct {
	NQN        string
	AnyHost    bool `json:"allow_any_host"`
	Hosts      []struct{ NQN string }
	Listeners  []M `json:"listen_addresses"`
	Max        int `json:"max_namespaces"`
	MinID      int `json:"min_cntlid"`
	MaxID      int `json:"max_cntlid"`
	Namespaces []namespaceInfo
}

func (n *node) subsystem(nqn string) subsystemInfo {
	n.c.Helper()
	var l []subsystemInfo
	n.into(&l, "nvmf_get_subsystems", M{"nqn": nqn})
	return l[0]
}

// Making what many cases start from. Every lvstore has clusters of 1 MiB.

// disk attaches the node's disk as disk0, and what is on it comes up.
func (n *node) disk() {
	n.c.Helper()
	n.attachDisk("disk0", n.target.Disk())
}

func (n *node) attachDisk(name, path string) {
	n.c.Helper()
	n.gives(name, "bdev_aio_create", M{"filename": path, "name": name, "block_size": 4096})
	n.ok("bdev_wait_for_examine", nil)
}

// pool makes the lvstore lvs0 on the node's disk.
func (n *node) pool() *node {
	n.c.Helper()
	n.disk()
	n.str("bdev_lvol_create_lvstore", M{"bdev_name": "disk0", "lvs_name": "lvs0", "cluster_sz": 1 << 20, "clear_method": "none"})
	return n
}

// thin makes an lvol without clusters, thick one with all of them, in lvs0.
func (n *node) thin(name string, mib int) string {
	n.c.Helper()
	return n.str("bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": name, "size_in_mib": mib, "thin_provision": true})
}

func (n *node) thick(name string, mib int) string {
	n.c.Helper()
	return n.str("bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": name, "size_in_mib": mib, "clear_method": "none"})
}

func (n *node) snapshot(lvol, name string) string {
	n.c.Helper()
	return n.str("bdev_lvol_snapshot", M{"lvol_name": lvol, "snapshot_name": name})
}

// mirror makes the RAID1 r.
func (n *node) mirror(bases ...string) {
	n.c.Helper()
	n.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": bases})
}

// nqn of the subsystem that a node offers.
func (n *node) nqn() string { return "nqn.2026-01.io.example:" + n.name }

func (n *node) address() M {
	return M{"trtype": "TCP", "adrfam": "IPv4", "traddr": n.target.Address(), "trsvcid": n.target.Port()}
}

// offer makes the node's subsystem, open to any host, with namespaces from 1 on.
func (n *node) offer(bdevs ...string) {
	n.c.Helper()
	n.ok("nvmf_create_subsystem", M{"nqn": n.nqn(), "allow_any_host": true, "ana_reporting": true, "max_namespaces": 64})
	n.ok("nvmf_subsystem_add_listener", M{"nqn": n.nqn(), "listen_address": n.address()})
	for i, b := range bdevs {
		n.add(i+1, b)
	}
}

// add adds a namespace.
func (n *node) add(nsid int, bdev string) {
	n.c.Helper()
	n.gives(nsid, "nvmf_subsystem_add_ns", M{"nqn": n.nqn(), "namespace": M{"bdev_name": bdev, "nsid": nsid}})
}

func (n *node) remove(nsid int) {
	n.c.Helper()
	n.ok("nvmf_subsystem_remove_ns", M{"nqn": n.nqn(), "nsid": nsid})
}

// path are the parameters of attaching to n under its name. Lost peers are
// given up soon: no I/O after 2 s, no controller after 4.
func (n *node) path() M {
	return M{"name": n.name, "trtype": "TCP", "adrfam": "IPv4", "traddr": n.target.Address(), "trsvcid": n.target.Port(), "subnqn": n.nqn(),
		"ctrlr_loss_timeout_sec": 4, "reconnect_delay_sec": 1, "fast_io_fail_timeout_sec": 2}
}

// with returns p with other members.
func with(p M, more M) M {
	q := M{}
	for k, v := range p {
		q[k] = v
	}
	for k, v := range more {
		q[k] = v
	}
	return q
}

// attach attaches n to what another node offers, under that node's name; more
// are parameters beside those of path. What comes with it may be used at once:
// until it has been examined, a copy onto it is refused.
func (n *node) attach(to *node, more ...M) []string {
	n.c.Helper()
	params := to.path()
	for _, m := range more {
		params = with(params, m)
	}
	var names []string
	n.into(&names, "bdev_nvme_attach_controller", params)
	n.ok("bdev_wait_for_examine", nil)
	return names
}

// forever never gives a peer up.
var forever = M{"ctrlr_loss_timeout_sec": -1, "fast_io_fail_timeout_sec": 0}
