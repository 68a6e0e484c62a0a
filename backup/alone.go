package backup

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/google/uuid"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/spdk"
)

// Alone is a bdev that its node shows to strata and nobody else. While it does, the node must
// be locked.
type Alone struct {
	Target *spdk.Client
	Names  lineage.Backup
	Of     lineage.Cluster
	Node   lineage.Node
	// Address and Port are where the node serves NVMe/TCP.
	Address, Port string
	Bdev          string // what RPCs call it
	Net           *Net   // nil: TCP
	Keys          string // as in Job
}

// open has the node show it. When end returns the node shows it to nobody any more, if it can
// be reached; what is wrong with that is the error where there is none.
func (a *Alone) open(ctx context.Context) (disk *nvmetcp.Device, end func(*error), err error) {
	nqn := string(a.Of.RestoreNQN(a.Names))
	way := proof{a.Target, a.Keys, a.Of, lineage.JobKey{Path: lineage.RestorePath, Volume: a.Names.Volume, Run: a.Names.Run}}
	if err := a.hide(ctx, nqn); err != nil { // of a try of this run that failed
		return nil, nil, err
	}
	var h *nvmetcp.Host
	hidden := func(err *error) {
		if h != nil {
			h.Close()
		}
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), detachTimeout)
		defer cancel()
		if left := errors.Join(a.hide(after, nqn), way.take(after)); left != nil && *err == nil {
			*err = left
		}
	}
	defer func() {
		if err != nil {
			hidden(&err)
		}
	}()
	keys, err := way.bring(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := a.show(ctx, nqn, way.names()); err != nil {
		return nil, nil, err
	}
	at := net.JoinHostPort(a.Address, a.Port)
	h, err = nvmetcp.Connect(ctx, at, nvmetcp.HostOptions{HostNQN: string(a.Of.RestoreHost()), Subsystem: nqn, Key: keys.host, TargetKey: keys.target, Dial: a.Net.dial()})
	if err != nil {
		return nil, nil, fmt.Errorf("strata does not reach %s at %s: %w", a.Node, at, err)
	}
	disk, err = h.Open(ctx, 1)
	return disk, hidden, err
}

// show has the node show it to strata alone.
func (a *Alone) show(ctx context.Context, nqn string, keys lineage.HostKeys) error {
	if err := a.Target.TransportCreate(ctx, "TCP"); err != nil && spdk.ClassOf(err) != spdk.Exists {
		return err
	}
	id := uuid.New().String()
	steps := []func() error{
		func() error {
			return a.Target.SubsystemCreate(ctx, spdk.SubsystemCreate{NQN: nqn, SerialNumber: "STRESTORE", ModelNumber: "strata", MaxNamespaces: 1})
		},
		func() error {
			return a.Target.HostAdd(ctx, spdk.HostAdd{NQN: nqn, Host: string(a.Of.RestoreHost()), Key: keys.Key, CtrlKey: keys.CtrlKey})
		},
		func() error {
			_, err := a.Target.NamespaceAdd(ctx, spdk.NamespaceAdd{NQN: nqn, Namespace: spdk.NamespaceSpec{NSID: 1, BdevName: a.Bdev, UUID: id}})
			return err
		},
		func() error {
			return a.Target.ListenerAdd(ctx, spdk.ListenerAdd{NQN: nqn, Address: spdk.Address{TrType: "TCP", AdrFam: family(net.ParseIP(a.Address)), TrAddr: a.Address, TrSvcID: a.Port}})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (a *Alone) hide(ctx context.Context, nqn string) error {
	all, err := a.Target.GetSubsystems(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.NQN == nqn {
			return a.Target.SubsystemDelete(ctx, nqn)
		}
	}
	return nil
}
