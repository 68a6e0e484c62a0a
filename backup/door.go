package backup

import (
	"context"
	"fmt"
	"net"

	"github.com/google/uuid"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// door is where a node attaches for the length of a job.
type door struct {
	listener net.Listener
	target   *nvmetcp.Target
	uuid     string
}

// open listens. Only the node is let in, as the host that it is to its peers.
func open(ctx context.Context, j *Job, in *intake, s shape, keys pair) (*door, error) {
	l, err := listen(ctx, j)
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w; --backup-listen says at which address of this machine it reaches strata", j.Node, err)
	}
	id := uuid.New() // of two namespaces with one UUID a target shows only the first
	disk := &nvmetcp.Disk{
		NQN: string(j.Of.BackupNQN(j.Names)), Hosts: []string{string(j.Of.HostNQN(j.Node))}, HostKey: keys.host, TargetKey: keys.target,
		Namespace: nvmetcp.Namespace{ID: 1, UUID: id, BlockSize: s.block, Size: s.size, Backend: in},
	}
	d := &door{listener: l, target: &nvmetcp.Target{Connect: disk.Connect}, uuid: id.String()}
	go func() { _ = d.target.Serve(l) }() // which ends when it is closed
	return d, nil
}

func listen(ctx context.Context, j *Job) (net.Listener, error) {
	if j.Net != nil {
		return j.Net.Listen(ctx)
	}
	at, err := listenAt(ctx, j)
	if err != nil {
		return nil, err
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", at)
}

// listenAt is the address to listen on: what was said, or the one from which packets go
// to the node.
func listenAt(ctx context.Context, j *Job) (string, error) {
	if host, port, err := net.SplitHostPort(j.Listen); err == nil {
		return net.JoinHostPort(host, port), nil
	}
	if j.Listen != "" {
		return net.JoinHostPort(j.Listen, "0"), nil
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "udp", net.JoinHostPort(j.Address, "9")) // sends nothing
	if err != nil {
		return "", fmt.Errorf("no packet goes from here to %s: %w", j.Address, err)
	}
	defer c.Close()
	host, _, err := net.SplitHostPort(c.LocalAddr().String())
	return net.JoinHostPort(host, "0"), err
}

// attach has the node attach to it.
func (d *door) attach(ctx context.Context, j *Job, name string, keys lineage.HostKeys) error {
	return attach(ctx, j.Target, d.listener.Addr().(*net.TCPAddr), spdk.AttachController{
		Name: name, SubNQN: string(j.Of.BackupNQN(j.Names)), HostNQN: string(j.Of.HostNQN(j.Node)),
		CtrlrLossTimeoutSec: lossTimeoutSec, ReconnectDelaySec: 1, FastIOFailTimeoutSec: fastFailSec,
		Key: keys.Key, CtrlKey: keys.CtrlKey,
	})
}

// attach has a target attach to what listens there.
func attach(ctx context.Context, t *spdk.Client, at *net.TCPAddr, to spdk.AttachController) error {
	to.TrType, to.AdrFam, to.TrAddr, to.TrSvcID = "TCP", family(at.IP), at.IP.String(), fmt.Sprint(at.Port)
	if _, err := t.AttachController(ctx, to); err != nil {
		return reason(err, at)
	}
	return nil
}

// family is what SPDK calls that of an address; of none, and of a name, IPv4.
func family(ip net.IP) string {
	if ip != nil && ip.To4() == nil {
		return "IPv6"
	}
	return "IPv4"
}

func (d *door) close() { d.target.Close() }
