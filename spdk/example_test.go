package spdk_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"

	"strata/spdk"
	"strata/spdk/sim"
)

// dial connects to a simulated target instead of the socket that is named.
func dial(t *sim.Target) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go t.Serve(far)
		return near, nil
	}
}

// target starts a simulated one that has lvstore lab.fast.
func target() (*spdk.Client, func()) {
	cluster := sim.New(sim.Options{DiskSize: 1 << 30})
	t, err := cluster.Start("n1", "")
	if err != nil {
		log.Fatal(err)
	}
	c, err := spdk.New("unix:///var/tmp/spdk.sock", spdk.Options{Dial: dial(t)})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	if _, err := c.AIOCreate(ctx, spdk.AIOCreate{Name: "disk", Filename: "/dev/nvme0n1", BlockSize: 4096}); err != nil {
		log.Fatal(err)
	}
	if _, err := c.LvstoreCreate(ctx, spdk.LvstoreCreate{BdevName: "disk", LvsName: "lab.fast", ClusterSize: 1 << 20}); err != nil {
		log.Fatal(err)
	}
	return c, func() {
		if err := errors.Join(c.Close(), cluster.Close()); err != nil {
			log.Fatal(err)
		}
	}
}

// An lvol is made, and found again under its name.
func Example() {
	c, end := target()
	defer end()
	ctx := context.Background()
	uuid, err := c.LvolCreate(ctx, spdk.LvolCreate{LvsName: "lab.fast", LvolName: "db", SizeMiB: 64, ThinProvision: true})
	if err != nil {
		log.Fatal(err)
	}
	b, err := c.GetBdev(ctx, "lab.fast/db")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Name == uuid, b.Aliases, b.Size()>>20, "MiB")
	// Output: true [lab.fast/db] 64 MiB
}

// Calls that do not depend on one another go together, and each has its own
// error.
func ExampleClient_Round() {
	c, end := target()
	defer end()
	var (
		version spdk.Version
		stores  []spdk.Lvstore
	)
	made := spdk.NewReq(spdk.LvolCreate{LvsName: "lab.fast", LvolName: "db", SizeMiB: 64, ThinProvision: true}, nil)
	again := spdk.NewReq(spdk.LvolCreate{LvsName: "lab.fast", LvolName: "db", SizeMiB: 64, ThinProvision: true}, nil)
	if err := c.Round(context.Background(), spdk.GetVersion(&version), spdk.GetLvstores(&stores), made, again); err != nil {
		log.Fatal(err) // the target was not reached
	}
	fmt.Println(version.Version)
	fmt.Println(stores[0].Name, "on", stores[0].BaseBdev)
	fmt.Println(made.Err)
	fmt.Println(again.Err)
	// Output:
	// SPDK v26.05 git sha1 d519b163cb
	// lab.fast on disk
	// <nil>
	// bdev_lvol_create lab.fast/db: file exists
}

// Who calls looks at the class of an error, and never at codes and messages: those
// differ from method to method, and from build to build.
func ExampleClassOf() {
	c, end := target()
	defer end()
	err := c.LvolDelete(context.Background(), "lab.fast/none")
	switch spdk.ClassOf(err) {
	case spdk.NotFound:
		fmt.Println("it is gone already")
	case spdk.Unreachable:
		fmt.Println("it was certainly not deleted:", err)
	case spdk.Unknown:
		fmt.Println("nobody knows whether it was deleted; look:", err)
	default:
		fmt.Println("it is still there:", err)
	}
	// Output: it is gone already
}
