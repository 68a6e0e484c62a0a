package lineage_test

import (
	"fmt"

	"strata/lineage"
)

// What the names of lvols on a target say of them.
func Example() {
	for _, name := range []lineage.LvolName{"db.k3f7#4.2p", "db.k3f7#3x", "db.k3f7@2.before-upgrade", "db.k3f7@4.~join", "db.k3f7+4", "backup"} {
		n, ok := lineage.Parse(name)
		if !ok {
			fmt.Printf("%s: not strata's\n", name)
			continue
		}
		switch n := n.(type) {
		case lineage.Head:
			if n.Mark == lineage.Fenced {
				fmt.Printf("%s: a stale head; %s is at epoch %d or later\n", name, n.Volume.Name, n.Epoch)
				break
			}
			fmt.Printf("%s: a head of %s, current in epoch %d, one of %d\n", name, n.Volume.Name, n.Epoch, n.Legs)
		case lineage.Layer:
			fmt.Printf("%s: snapshot %s of %s, taken in epoch %d, strata's own: %v\n", name, n.Snapshot, n.Volume.Name, n.Epoch, n.Own)
		case lineage.Staging:
			fmt.Printf("%s: to become a replica of %s\n", name, n.Of().Name)
		}
	}
	// Output:
	// db.k3f7#4.2p: a head of db, current in epoch 4, one of 2
	// db.k3f7#3x: a stale head; db is at epoch 3 or later
	// db.k3f7@2.before-upgrade: snapshot before-upgrade of db, taken in epoch 2, strata's own: false
	// db.k3f7@4.~join: snapshot join of db, taken in epoch 4, strata's own: true
	// db.k3f7+4: to become a replica of db
	// backup: not strata's
}

// A leg of two was lost: the one that is left is current in the next epoch,
// alone, and the other is stale.
func ExampleHead_Lvol() {
	lost := lineage.Head{Volume: lineage.Volume{Name: "db", ID: "k3f7"}, Epoch: 4, Legs: 2, Mark: lineage.Primary}
	kept := lost
	kept.Epoch, kept.Legs = lost.Epoch+1, 1
	fmt.Println(kept.Lvol())
	lost.Epoch, lost.Legs, lost.Mark = kept.Epoch, 0, lineage.Fenced
	fmt.Println(lost.Lvol())
	// Output:
	// db.k3f7#5.1p
	// db.k3f7#5x
}

// What hosts and peers see follows from the names of cluster, volume and nodes.
func ExampleCluster() {
	lab, db := lineage.Cluster("lab"), lineage.Volume{Name: "db", ID: "k3f7"}
	fmt.Println(lab.ExportNQN(db))
	fmt.Println(lab.ExportUUID(db))
	fmt.Println(lab.LinkNQN(lineage.Link{From: "n1", To: "n2"}))
	fmt.Println(lab.Raid(db))
	// Output:
	// nqn.2026-01.io.strata:lab:db.k3f7
	// acc2f143-46e5-8455-a50f-b700992d5e02
	// nqn.2026-01.io.strata:lab:n1:n2
	// lab.db.k3f7
}

// An id is drawn once a run and avoids those that are there.
func ExampleNewID() {
	nonce := []byte("drawn at random")
	first := lineage.NewID(nonce, "db", func(lineage.ID) bool { return false })
	next := lineage.NewID(nonce, "db", func(id lineage.ID) bool { return id == first })
	fmt.Println(first, next, lineage.ValidID(first))
	// Output:
	// zhm7 fouh true
}
