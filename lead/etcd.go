// Package lead has an etcd cluster elect which of several watches works. It knows
// nothing of nodes, and what it holds ends by itself: a lease that is not renewed.
package lead

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"

	"strata/lineage"
)

// Etcd is an election by etcd.
type Etcd struct {
	Place
	TLS      *tls.Config // nil: in the clear
	Password string      // of Place.User
	By       string      // who this watch is, in words
	// Tell is told for whom this watch stands by, once for each; nil for nobody.
	Tell func(string)
	// StandingBy is called twice a second or so while another leads; nil for nothing.
	StandingBy func(context.Context)

	told string
}

// Place is where an etcd cluster is, and where in it.
type Place struct {
	Hosts  []string // host:port of its members, or some of them
	User   string   // "" for no authentication
	Prefix string   // of the keys, which go on with / and the name of the cluster
}

// ParsePlace reads etcd://[user@]host:port,host:port/prefix.
func ParsePlace(text string) (p Place, err error) {
	rest, ok := strings.CutPrefix(text, "etcd://")
	if !ok {
		return p, fmt.Errorf("want etcd://host:port,host:port/prefix, not %q", text)
	}
	at, prefix, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(at, '@'); i >= 0 {
		p.User, at = at[:i], at[i+1:]
		if strings.Contains(p.User, ":") {
			return p, fmt.Errorf("the address of etcd has a password in it: others see what is on a command line")
		}
	}
	for host := range strings.SplitSeq(at, ",") {
		name, port, err := net.SplitHostPort(host)
		if err != nil || name == "" || port == "" {
			return p, fmt.Errorf("want host:port of each member of etcd, such as etcd://10.0.0.1:2379,10.0.0.2:2379/strata, not %q", host)
		}
		p.Hosts = append(p.Hosts, host)
	}
	if p.Prefix = strings.Trim(prefix, "/"); p.Prefix == "" {
		return p, fmt.Errorf("%s has no prefix for strata's keys; want etcd://host:port/strata", text)
	}
	return p, nil
}

// Private reports whether what is sent to the members stays on this machine.
func (p Place) Private() bool {
	return !slices.ContainsFunc(p.Hosts, func(host string) bool {
		name, _, _ := net.SplitHostPort(host)
		ip := net.ParseIP(name)
		return name != "localhost" && (ip == nil || !ip.IsLoopback())
	})
}

const (
	ttl = 3 // seconds that a lease lives without a sign of life; etcd has none below 2
	// stops is how long before the end of its lease, by the clock of who has it, nothing
	// is begun any more. The end is counted from when the sign of life was sent.
	stops   = time.Second
	beats   = 500 * time.Millisecond
	timeout = time.Second // of a request; others follow meanwhile
	hedge   = 250 * time.Millisecond
)

// client connects; its logs are not kept, for every failure comes back as an error.
func (e *Etcd) client() (*clientv3.Client, error) {
	scheme := "http://"
	if e.TLS != nil {
		scheme = "https://"
	}
	var endpoints []string
	for _, host := range e.Hosts {
		endpoints = append(endpoints, scheme+host)
	}
	c, err := clientv3.New(clientv3.Config{
		Endpoints: endpoints, TLS: e.TLS, Username: e.User, Password: e.Password,
		DialTimeout: 2 * timeout, DialKeepAliveTime: 10 * timeout, DialKeepAliveTimeout: 2 * timeout, PermitWithoutStream: true,
		Logger: zap.NewNop(),
	})
	if err != nil {
		return nil, fmt.Errorf("etcd at %s: %w", strings.Join(e.Hosts, ","), err)
	}
	return c, nil
}

// prefix is where the watches of a cluster are candidates.
func (e *Etcd) prefix(c lineage.Cluster) string { return "/" + e.Prefix + "/" + string(c) + "/watch" }

// Lead waits until this watch leads. Its error is that of ctx, or one that trying again
// may mend: etcd cannot be reached, or refuses it.
func (e *Etcd) Lead(ctx context.Context, c lineage.Cluster) (*Term, error) {
	client, err := e.client()
	if err != nil {
		return nil, err
	}
	t, err := newTerm(ctx, client)
	if err != nil {
		client.Close()
		return nil, e.failed(ctx, err)
	}
	if err := e.campaign(ctx, t, e.prefix(c)); err != nil {
		t.Resign()
		return nil, e.failed(ctx, err)
	}
	return t, nil
}

// failed is the error of Lead.
func (e *Etcd) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("etcd at %s: %w", strings.Join(e.Hosts, ","), err)
}

// campaign stands for election and waits until it is won.
func (e *Etcd) campaign(ctx context.Context, t *Term, prefix string) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	lookedOn := e.lookOn(ctx)
	defer func() {
		cancel()
		<-lookedOn
	}()
	t.election = concurrency.NewElection(t.session, prefix)
	won := make(chan error, 1)
	go func() { won <- t.election.Campaign(ctx, e.By) }()
	key := fmt.Sprintf("%s/%x", prefix, t.session.Lease())
	hangs := 0
	for {
		select {
		case err := <-won:
			if err == nil {
				t.key, t.revision = t.election.Key(), t.election.Rev()
				err = t.Check(ctx)
			}
			return err
		case <-t.over:
			cancel()
			<-won
			return errLost
		case <-time.After(beats):
		}
		// What it asks and waits for goes by a member that may hang, or know of no
		// other any more. Another is asked how it stands.
		if stands, leads := e.look(ctx, t, prefix, key); stands && !leads {
			hangs = 0
		} else if hangs++; hangs == hangsMost {
			cancel()
			<-won
			return errHangs
		}
	}
}

// lookOn calls StandingBy again and again.
func (e *Etcd) lookOn(ctx context.Context) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		for e.StandingBy != nil && ctx.Err() == nil {
			e.StandingBy(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(beats):
			}
		}
	}()
	return ended
}

// hangsMost is how often in a row a campaign may look as if it went nowhere: its key is
// not there, or has won without a word.
const hangsMost = 4

var errHangs = errors.New("a member does not answer, or not in time")

// look tells who leads, and reports whether this watch stands for election, and leads.
func (e *Etcd) look(ctx context.Context, t *Term, prefix, key string) (stands, leads bool) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := t.client.Get(ctx, prefix+"/", clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil || len(r.Kvs) == 0 {
		return false, false
	}
	first := r.Kvs[0]
	leads = string(first.Key) == key
	if leader := string(first.Value); e.Tell != nil && !leads && leader != e.told {
		e.told = leader
		e.Tell("standing by: " + leader + " leads, by election of etcd")
	}
	for _, kv := range r.Kvs {
		stands = stands || string(kv.Key) == key
	}
	return stands, leads
}
