package backup

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
	"strata/spdk/sim"
)

// TestUnnamed: a node was attached while strata ended, and has the image under another UUID: a
// clone would never find it. The next strata has it attached anew.
func TestUnnamed(t *testing.T) {
	const block = 4096
	c := sim.New(sim.Options{DiskSize: 1 << 30, Dial: func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}})
	t.Cleanup(func() { c.Close() })
	n, err := c.Start("n1", "")
	if err != nil {
		t.Fatal(err)
	}
	target, err := spdk.New("unix:///n1", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go n.Serve(far)
		return near, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	volume := lineage.Volume{Name: "db", ID: "k3xq"}
	l := Lend{Target: target, Of: "lab", Node: "n1", Name: lineage.Staging{Volume: volume, From: "aaaa", Epoch: 3, MiB: 64}, Block: block, Bound: 120}
	serve := func(at string, id uuid.UUID) *net.TCPAddr {
		listener, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		d := &nvmetcp.Disk{NQN: string(l.Of.ImageNQN(volume)), Hosts: []string{string(l.Of.HostNQN(l.Node))},
			Namespace: nvmetcp.Namespace{ID: 1, UUID: id, BlockSize: block, Size: 64 << 20, ReadOnly: true, Backend: &summing{}}}
		x := &nvmetcp.Target{Connect: d.Connect}
		go x.Serve(listener)
		t.Cleanup(func() { x.Close() })
		return listener.Addr().(*net.TCPAddr)
	}
	name := l.Of.ImageController(volume)
	if err := l.attach(ctx, &lent{at: serve("127.0.0.1:0", uuid.New())}, name); err != nil {
		t.Fatal(err)
	}
	image := uuid.MustParse(string(l.Of.ImageUUID(l.Name)))
	at := serve("127.0.0.1:0", image)
	if err := l.connect(ctx, &lent{at: at}, name, true); err != nil {
		t.Fatal(err)
	}
	if b, err := target.GetBdev(ctx, image.String()); err != nil || b.Name != name+"n1" {
		t.Errorf("the node has it as %s, %v", b.Name, err)
	}
	if is, _, err := found(ctx, target, name); err != nil || is.State != "enabled" {
		t.Errorf("the controller is %v, %v", is, err)
	}
	if err := l.connect(ctx, &lent{at: at}, name, true); err != nil { // as it is
		t.Error(err)
	}
}
