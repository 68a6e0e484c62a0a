package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/secret"
	"strata/spdk"
)

// HostKeys reads a key that strata puts on nodes from where the configuration says that it is;
// nil: nobody does here. None is kept.
type HostKeys func(context.Context, schema.SentKey) (secret.HostKey, error)

// Look finds what plans are to know of all such keys: no key, but checks of them.
func (read HostKeys) Look(ctx context.Context, cfg *schema.Config) plan.KeysFound {
	all := cfg.SentKeys()
	if read == nil || len(all) == 0 {
		return nil
	}
	found, turn := plan.KeysFound{}, make(chan struct{}, keysAtOnce)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, of := range all {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			f := plan.KeyFound{}
			if k, err := read(ctx, of); err != nil {
				f.Unread = err.Error()
			} else {
				f.Check = k.Check(cfg.Cluster, of.Volume.Name, lineage.Whose(of.Host, of.Role))
			}
			mu.Lock()
			defer mu.Unlock()
			found[plan.KeyOf{Volume: of.Volume.Name, Host: of.Host, Role: of.Role}] = f
		})
	}
	wg.Wait()
	return found
}

// keysAtOnce is how many programs may be run at a time that say keys.
const keysAtOnce = 8

// keysFor is how long it is taken to be known which keys there are: programs are not run at
// every look.
const keysFor = time.Minute

// knownKeys are those that were found last.
type knownKeys struct {
	read  HostKeys
	found plan.KeysFound
	at    time.Time
}

// look finds them, unless that was done a moment ago.
func (k *knownKeys) look(ctx context.Context, cfg *schema.Config) plan.KeysFound {
	if k.found == nil || time.Since(k.at) >= keysFor {
		k.found, k.at = k.read.Look(ctx, cfg), time.Now()
	}
	return k.found
}

// authenticate carries out an op on keys of hosts.
func (c *caller) authenticate(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.KeySend:
		return c.sendKey(ctx, t, op)
	case plan.LinkKeysMake:
		return c.makeLinkKeys(ctx, op)
	case plan.ControllerKeysSet:
		return setControllerKeys(ctx, t, op)
	case plan.KeyErase:
		return eraseKey(ctx, t, op)
	case plan.KeyAdd:
		return t.KeyAdd(ctx, spdk.KeyAdd{Name: op.Name, Path: op.Path})
	case plan.KeyRemove:
		return unless(spdk.NotFound, t.KeyRemove(ctx, op.Name))
	case plan.HostKeysSet:
		return t.SetHostKeys(ctx, spdk.HostKeysSet{NQN: string(op.NQN), Host: string(op.Host), Key: op.Keys.Key, CtrlKey: op.Keys.CtrlKey})
	}
	return fmt.Errorf("no call is known for %T", op)
}

// sendKey puts a key of a host on the node, if it is the one that the plan speaks of.
func (c *caller) sendKey(ctx context.Context, t *spdk.Client, op plan.KeySend) error {
	files := t.KeyFiles()
	if files == nil {
		return spdk.ErrNoKeyFiles
	}
	k, err := c.hostKey(ctx, op)
	if err != nil {
		return fmt.Errorf("the key of %s for %s: %w", op.Host, op.Volume, err)
	}
	if k.Check(c.cluster, op.Volume, lineage.Whose(op.Host, op.Role)) != op.Check {
		return fmt.Errorf("the key of %s for %s is another one by now than when this was planned", op.Host, op.Volume)
	}
	return files.Write(ctx, op.Name, []byte(k.Text()))
}

func (c *caller) hostKey(ctx context.Context, op plan.KeySend) (secret.HostKey, error) {
	if v := c.cfg.Shown(op.Volume); v != nil && c.hostKeys != nil {
		for _, of := range v.SentKeys() {
			if of.Host == op.Host && of.Role == op.Role {
				return c.hostKeys(ctx, of)
			}
		}
	}
	return secret.HostKey{}, errors.New("nobody reads keys here")
}

// eraseKey takes a file away in which such a key is.
func eraseKey(ctx context.Context, t *spdk.Client, op plan.KeyErase) error {
	files := t.KeyFiles()
	if files == nil {
		return spdk.ErrNoKeyFiles
	}
	return files.Remove(ctx, op.Name)
}
