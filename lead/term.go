package lead

import (
	"context"
	"errors"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// Term is the time for which a watch leads.
type Term struct {
	client   *clientv3.Client
	session  *concurrency.Session
	election *concurrency.Election
	key      string // by which it leads, while that has this revision
	revision int64

	cancel context.CancelFunc
	ended  chan struct{}
	once   sync.Once
	over   chan struct{}

	mu    sync.Mutex
	until time.Time // nothing is begun any more
}

var errLost = errors.New("this watch does not lead any more, or cannot tell, for etcd has not confirmed it; it begins nothing more and stands by")

// newTerm takes a lease and keeps it.
func newTerm(ctx context.Context, client *clientv3.Client) (*Term, error) {
	sent, lease, err := grant(ctx, client)
	if err != nil {
		sent, lease, err = grant(ctx, client) // of another member, which may answer
	}
	if err != nil {
		return nil, err
	}
	t := &Term{client: client, ended: make(chan struct{}), over: make(chan struct{})}
	t.confirmed(sent, lease.TTL)
	if t.session, err = concurrency.NewSession(client, concurrency.WithLease(lease.ID)); err != nil {
		return nil, err
	}
	ctx, t.cancel = context.WithCancel(context.Background())
	go t.keep(ctx)
	return t, nil
}

// grant takes a lease, and says when it was asked for.
func grant(ctx context.Context, client *clientv3.Client) (sent time.Time, lease *clientv3.LeaseGrantResponse, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent = time.Now()
	lease, err = client.Grant(ctx, ttl)
	return sent, lease, err
}

// confirmed takes note of how long the lease lives, by an answer to what was sent then.
func (t *Term) confirmed(sent time.Time, seconds int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := sent.Add(time.Duration(seconds)*time.Second - stops); until.After(t.until) {
		t.until = until
	}
}

// left is how long there is time to begin something.
func (t *Term) left() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Until(t.until)
}

// keep renews the lease, and ends the term when that has not been possible for too
// long. A request does not wait for the one before, which may have gone where nobody answers.
func (t *Term) keep(ctx context.Context) {
	defer close(t.ended)
	var asking sync.WaitGroup
	defer asking.Wait()
	tick := time.NewTicker(beats)
	defer tick.Stop()
	end := time.NewTimer(t.left())
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.session.Done():
			t.lose()
			return
		case <-end.C:
			left := t.left()
			if left <= 0 {
				t.lose()
				return
			}
			end.Reset(left)
		case <-tick.C:
			asking.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, timeout)
				defer cancel()
				sent := time.Now()
				if r, err := t.client.KeepAliveOnce(ctx, t.session.Lease()); err == nil {
					t.confirmed(sent, r.TTL)
				}
			})
		}
	}
}

// Lost is closed when another leads, or may soon.
func (t *Term) Lost() <-chan struct{} { return t.over }

func (t *Term) lose() { t.once.Do(func() { close(t.over) }) }

// Check fails if another leads, or may by now: the lease must have time left by the
// clock of this machine, before and after etcd, asked for what a majority knows, has said
// that the key is as it was.
func (t *Term) Check(ctx context.Context) error {
	select {
	case <-t.over:
		return errLost
	default:
	}
	if t.left() <= 0 {
		t.lose()
		return errLost
	}
	leads, err := t.leads(ctx)
	if err == nil && !leads || t.left() <= 0 {
		t.lose()
	}
	if err != nil || !leads || t.left() <= 0 {
		return errLost
	}
	return nil
}

// leads asks etcd whether the key is there and the same. A member that hangs is not
// waited for: another is asked meanwhile.
func (t *Term) leads(ctx context.Context) (leads bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type answer struct {
		leads bool
		err   error
	}
	const most = int(timeout / hedge)
	answers := make(chan answer, most)
	ask := func() {
		r, err := t.client.Get(ctx, t.key) // linearizable, unless it is told otherwise
		answers <- answer{err == nil && len(r.Kvs) == 1 && r.Kvs[0].CreateRevision == t.revision, err}
	}
	asked, failed := 1, 0
	go ask()
	for {
		select {
		case a := <-answers:
			if a.err == nil {
				return a.leads, nil
			}
			if failed++; failed == most {
				return false, a.err
			}
		case <-time.After(hedge):
			if asked < most {
				asked++
				go ask()
			}
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Resign gives up what this watch has at etcd, as far as that answers: or the lease runs
// out, and its key goes with it.
func (t *Term) Resign() {
	t.lose()
	t.cancel()
	<-t.ended
	t.session.Orphan()
	for range 3 { // of another member each time
		if t.revoke() == nil {
			break
		}
	}
	_ = t.client.Close()
}

func (t *Term) revoke() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout/2)
	defer cancel()
	_, err := t.client.Revoke(ctx, t.session.Lease())
	return err
}
