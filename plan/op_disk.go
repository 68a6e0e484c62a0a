package plan

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
)

// DiskAttach makes a disk a bdev (bdev_aio_create, bdev_uring_create,
// bdev_malloc_create, bdev_nvme_attach_controller) and waits until what is
// on it has been found (bdev_wait_for_examine).
type DiskAttach struct {
	At
	Bdev      string // NVMe: name of the controller
	Kind      schema.DiskKind
	Path      string
	Bytes     int64 // of a malloc disk
	BlockSize int64
	Keeps     bool   `json:",omitzero"` // nothing is to be discarded there
	Lvstore   string // the pool's, which may be there already
}

func (op DiskAttach) Words() string {
	if op.Kind == schema.Malloc {
		return fmt.Sprintf("make a disk of %s in memory as %s", amount.Bytes(op.Bytes), op.Bdev)
	}
	return fmt.Sprintf("attach disk %s (%s) as %s and read what it holds", op.Path, op.Kind, op.Bdev)
}
func (op DiskAttach) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op DiskAttach) key() key {
	k := key{text(op.Bdev), text(op.Kind), text(op.Path), number(op.Bytes), number(op.BlockSize)}
	if op.Keeps {
		k = append(k, flag(true))
	}
	return k
}

// DiskDetach takes a disk that nothing stands on away as a bdev
// (bdev_aio_delete, bdev_uring_delete, bdev_nvme_detach_controller), so that
// it is looked into anew when it is attached again.
type DiskDetach struct {
	At
	Bdev string // NVMe: name of the controller
	Kind schema.DiskKind
	Path string
}

func (op DiskDetach) Words() string {
	return fmt.Sprintf("detach disk %s, %s, on which nothing was found", op.Bdev, op.Path)
}
func (op DiskDetach) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op DiskDetach) key() key     { return key{text(op.Bdev), text(op.Kind), text(op.Path)} }

// ExpectBlank reads a disk and fails unless nothing stands on it.
type ExpectBlank struct {
	At
	Bdev string
}

func (op ExpectBlank) Words() string { return fmt.Sprintf("make sure that nothing is on %s", op.Bdev) }
func (op ExpectBlank) Facts() Facts  { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op ExpectBlank) key() key      { return key{text(op.Bdev)} }

// LvstoreCreate is bdev_lvol_create_lvstore: the disk's content is lost.
type LvstoreCreate struct {
	At
	Lvstore     string
	OnTarget    string // what the target calls it; drawn when it is made
	Bdev        string
	ClusterSize int64
	Keeps       bool `json:",omitzero"` // what was on the disk is not discarded
}

func (op LvstoreCreate) Words() string {
	text := fmt.Sprintf("write lvstore %s on %s, clusters of %s", op.Lvstore, op.Bdev, amount.Bytes(op.ClusterSize))
	if op.Keeps {
		text += ", and discard nothing of what was there"
	}
	return text
}
func (op LvstoreCreate) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op LvstoreCreate) key() key {
	k := key{text(op.Lvstore), text(op.Bdev), number(op.ClusterSize)}
	if op.Keeps {
		k = append(k, flag(true))
	}
	return k
}

// TrialDelete deletes what a trial has left with which it is found out whether a disk discards
// (bdev_lvol_delete).
type TrialDelete struct {
	At
	Lvstore string
}

func (op TrialDelete) Words() string {
	return fmt.Sprintf("delete %s/%s, which a trial of its disk has left", op.Lvstore, lineage.Trial)
}
func (op TrialDelete) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op TrialDelete) key() key     { return key{text(op.Lvstore)} }

// LvstoreRename is bdev_lvol_rename_lvstore. Plans go on calling it Lvstore.
type LvstoreRename struct {
	At
	Lvstore  string
	From, To string // on the target; To is drawn when it is renamed
}

func (op LvstoreRename) Words() string { return fmt.Sprintf("rename lvstore %s to %s", op.From, op.To) }
func (op LvstoreRename) Facts() Facts  { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op LvstoreRename) key() key      { return key{text(op.Lvstore)} }

// Remind makes an lvol that reminds of a pool of another node (bdev_lvol_create,
// thin).
type Remind struct {
	At
	Lvstore string
	Member  lineage.Member // of which the plan may make the lvstore
	Size    int64          // bytes: one cluster, of which none is allocated
}

func (op Remind) Words() string {
	return fmt.Sprintf("leave a reminder of pool %s of %s (lvstore %s…) in %s", op.Member.Pool, op.Member.Node, op.Member.Store, op.Lvstore)
}
func (op Remind) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op Remind) key() key {
	return key{text(op.Lvstore), text(op.Member.Node), text(op.Member.Pool), number(op.Size)}
}

// Forget deletes one (bdev_lvol_delete).
type Forget struct {
	At
	Lvstore string
	Member  lineage.Member
}

func (op Forget) Words() string {
	return fmt.Sprintf("delete the reminder of pool %s of %s (lvstore %s…) in %s", op.Member.Pool, op.Member.Node, op.Member.Store, op.Lvstore)
}
func (op Forget) Facts() Facts { return Facts{RiskCreate, noVolume{}, noHosts, noCopy} }
func (op Forget) key() key {
	return key{text(op.Lvstore), text(op.Member.Node), text(op.Member.Pool), text(op.Member.Store)}
}
