package apply

// orphaned reports whether a node has something for a run that has it locked and seems to be
// dead: it shows what the run wrote to a volume, or is attached to what the run served. While
// that has the lock nobody else goes on with it, and nothing is planned that would take the lock
// over.
func (x *Runner) orphaned() bool {
	c := x.cfg.Cluster
	for _, n := range x.looker.last.Nodes {
		if n.Unknown != "" || !x.opt.Lock.SeemsDead(n.Lock) {
			continue
		}
		for nqn := range n.Subsystems {
			if of, ok := c.ParseRestore(nqn); ok && of.Run == n.Lock.Holder {
				return true
			}
		}
		for _, ctrl := range n.Controllers {
			if of, ok := c.ParseBackup(ctrl.NQN); ok && of.Run == n.Lock.Holder {
				return true
			}
		}
	}
	return false
}
