package backup

import (
	"context"
	"fmt"

	"strata/lineage"
)

// Again serves an image to a node that looks for who served it, where it looks for it, and waits
// for nothing: a target that reads it as it looks into an lvol says nothing of all that it has
// until it can, so whoever waits for that cannot be who serves it then. Where somebody serves it
// nothing is done, as its place is taken.
func (a *Archives) Again(ctx context.Context, l Lend) error {
	a.lends.mu.Lock()
	defer a.lends.mu.Unlock()
	was, _, err := found(ctx, l.Target, l.Of.ImageController(l.Name.Volume))
	if err != nil || was == nil || was.State == "enabled" || a.lends.all[l.Of.ImageNQN(l.Name.Volume)] != nil {
		return err
	}
	is, err := a.serve(ctx, l, was, proof{l.Target, l.Keys, l.Of, lineage.JobKey{Path: lineage.ImagePath, Volume: l.Name.Volume}})
	if err == nil {
		a.lends.put(l, is)
	}
	return err
}

// LetGo takes an image away from a node that looks for who served it, and on which nothing was
// made of it, as again does: what of it is read ends with an error. The volume is that of
// l.Name.
func (a *Archives) LetGo(ctx context.Context, l Lend) error {
	a.lends.mu.Lock()
	defer a.lends.mu.Unlock()
	name := l.Of.ImageController(l.Name.Volume)
	was, _, err := found(ctx, l.Target, name)
	if err != nil || was == nil || was.State == "enabled" || a.lends.all[l.Of.ImageNQN(l.Name.Volume)] != nil {
		return err
	}
	listener, err := a.listenFor(ctx, l, was)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := Detach(ctx, l.Target, name); err != nil {
		return fmt.Errorf("detaching %s, through which nothing reads: %w", name, err)
	}
	return nil
}
